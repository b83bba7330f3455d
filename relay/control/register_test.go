package control

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/wire"
)

func asError[E error](err error, target *E) bool { return errors.As(err, target) }

func (o *Outcomes) all() map[string]uint64 {
	m := make(map[string]uint64)
	o.Each(func(code string, times uint64) { m[code] = times })
	return m
}

func TestRegister(t *testing.T) {
	for _, tt := range []struct {
		name  string
		token func(r *testRelay) []byte
		want  wire.Code
	}{
		{"right token", func(r *testRelay) []byte { return r.token[:] }, codeOK},
		{"no token", func(r *testRelay) []byte { return nil }, wire.CodeNotEnrolled},
		{"one bit wrong", func(r *testRelay) []byte { b := r.token; b[3] ^= 1; return b[:] }, wire.CodeNotEnrolled},
		{"cut short", func(r *testRelay) []byte { return r.token[:len(r.token)-1] }, wire.CodeNotEnrolled},
		{"zero", func(r *testRelay) []byte { return make([]byte, len(r.token)) }, wire.CodeNotEnrolled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, nil, nil)
			c := r.dial(t, identity(t))
			m, err := ask[*wire.Registered](t, c, &wire.Register{Token: tt.token(r), Version: "1.2.3"})
			if tt.want != codeOK {
				if !errors.Is(err, tt.want) || r.Routers() != 0 {
					t.Fatalf("%v, %d routers; want %v, none", err, r.Routers(), tt.want)
				}
				if got := r.Registrations.all(); !maps.Equal(got, map[string]uint64{string(tt.want): 1}) {
					t.Errorf("counted %v", got)
				}
				return
			}
			if err != nil || m.IdleTimeout != sessionIdle || m.PresenceTimeout != PresenceTimeout || r.Routers() != 1 {
				t.Fatalf("%+v, %v, %d routers", m, err, r.Routers())
			}
			if got := r.Registrations.all(); !maps.Equal(got, map[string]uint64{"ok": 1}) {
				t.Errorf("counted %v", got)
			}
		})
	}
}

func TestRouterThatLeavesIsGone(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt := r.register(t, identity(t), accept)
	rt.CloseWithError(0, "")
	r.log.wait(t, "router gone")
	if n := r.Routers(); n != 0 {
		t.Errorf("%d routers are present", n)
	}
}

// TestSilentRouterIsGone closes the router's socket without a word.
func TestSilentRouterIsGone(t *testing.T) {
	r := startRelay(t, nil, func(s *Server) { s.timeouts.presence = time.Second })
	rt := r.register(t, identity(t), accept)
	rt.socket.Close()
	r.log.wait(t, "router gone")
	if n := r.Routers(); n != 0 {
		t.Errorf("%d routers are present", n)
	}
	c := r.dial(t, identity(t))
	if _, err := c.open(t, rt.id); !errors.Is(err, wire.CodeRouterOffline) {
		t.Errorf("open = %v", err)
	}
}

func TestNewestConnectionOfARouterWins(t *testing.T) {
	r := startRelay(t, nil, nil)
	id := identity(t)
	first := r.register(t, id, accept)
	second := r.register(t, id, accept)
	if code := first.closedWith(t); code != wire.CodeReplaced {
		t.Errorf("the first was closed with %q", code)
	}
	r.log.wait(t, "router gone") // the end of the first
	if n := r.Routers(); n != 1 {
		t.Fatalf("%d routers are present, want the second", n)
	}
	if _, err := r.dial(t, identity(t)).open(t, id); err != nil {
		t.Fatal(err)
	}
	second.next(t)
}

func TestRegisterTwiceOnOneConnection(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt := r.register(t, identity(t), accept)
	if _, err := ask[*wire.Registered](t, rt.client, &wire.Register{Token: r.token[:]}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.dial(t, identity(t)).open(t, rt.id); err != nil {
		t.Fatal(err)
	}
	rt.CloseWithError(0, "")
	r.log.wait(t, "router gone")
	if n := r.Routers(); n != 0 {
		t.Errorf("%d routers are present", n)
	}
}

func TestTooManyRouters(t *testing.T) {
	r := startRelay(t, func(l *Limits) { l.Routers = 1 }, nil)
	r.register(t, identity(t), accept)
	_, err := ask[*wire.Registered](t, r.dial(t, identity(t)), &wire.Register{Token: r.token[:]})
	if !errors.Is(err, wire.CodeTooManyRouters) {
		t.Errorf("the second router: %v", err)
	}
}

// TestRegistrationsAreLimitedBySource: whoever guesses tokens gets few guesses.
func TestRegistrationsAreLimitedBySource(t *testing.T) {
	r := startRelay(t, func(l *Limits) { l.RequestsPerMinute = 6 }, nil) // bursts of five
	guesser := r.dial(t, identity(t))                                    // which is one of them
	for i := range 5 {
		want := wire.CodeNotEnrolled
		if i == 4 {
			want = wire.CodeRateLimited
		}
		_, err := ask[*wire.Registered](t, guesser, &wire.Register{})
		if !errors.Is(err, want) {
			t.Errorf("registration %d: %v, want %v", i, err, want)
		}
	}
	want := map[string]uint64{"not_enrolled": 4, "rate_limited": 1}
	if got := r.Registrations.all(); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestServeSaysGoodbye(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt := r.register(t, identity(t), func(*quic.Stream, *wire.Incoming) {})
	device := r.dial(t, identity(t))
	if _, err := device.open(t, identity(t)); !errors.Is(err, wire.CodeRouterOffline) { // so it is connected on both sides
		t.Fatal(err)
	}
	r.stop()
	for _, c := range []*client{rt.client, device} {
		if code := c.closedWith(t); code != wire.CodeShuttingDown {
			t.Errorf("closed with %q", code)
		}
	}
}

// TestRegistrationIsForgotten: what a router's handshake has left behind can be
// collected, though nothing has ended.
func TestRegistrationIsForgotten(t *testing.T) {
	over := make(chan struct{}, 100)
	r := startRelay(t, nil, func(s *Server) { s.cfg.Over = func() { over <- struct{}{} } })
	r.register(t, identity(t), accept)
	select {
	case <-over:
	case <-time.After(patience):
		t.Error("nobody was told")
	}
}
