package control

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

func TestSessionLimits(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		limits                  func(*Limits)
		sameDevice, otherRouter wire.Code // for a second session of …
		otherDevice             wire.Code
	}{
		{"per router", func(l *Limits) { l.SessionsPerRouter = 1 }, wire.CodeTooManySessions, codeOK, wire.CodeTooManySessions},
		{"per device", func(l *Limits) { l.SessionsPerDevice = 1 }, wire.CodeTooManySessions, wire.CodeTooManySessions, codeOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, tt.limits, nil)
			home, other := r.register(t, identity(t), accept), r.register(t, identity(t), accept)
			device := r.dial(t, identity(t))
			first, err := device.open(t, home.id)
			if err != nil {
				t.Fatal(err)
			}
			home.next(t)
			want := func(what string, err error, code wire.Code) {
				t.Helper()
				if code == codeOK && err != nil || code != codeOK && !errors.Is(err, code) {
					t.Errorf("%s: %v, want %q", what, err, code)
				}
			}
			_, err = device.open(t, home.id)
			want("the same again", err, tt.sameDevice)
			if len(home.incoming) != 0 {
				t.Error("the router heard of what was refused")
			}
			_, err = device.open(t, other.id)
			want("another router", err, tt.otherRouter)
			_, err = r.dial(t, identity(t)).open(t, home.id)
			want("another device", err, tt.otherDevice)

			r.endSession(t, first)
			_, err = device.open(t, home.id)
			want("the same after the end of the first", err, codeOK)
		})
	}
}

// endSession ends a session as its device does.
func (r *testRelay) endSession(t *testing.T, m *wire.Opened) {
	t.Helper()
	before := r.plane.Stats().Ended[forward.EndUnbound]
	c := r.bind(t, m.Leg, m.Secret)
	if _, err := c.Write(wire.LegMessage{Type: wire.TypeUnbind, Leg: m.Leg, Counter: 9}.Append(nil, &m.Secret)); err != nil {
		t.Fatal(err)
	}
	// What the relay answers next, it answers after the UNBIND.
	if _, err := c.Write(versionProbe(1200, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1500)); err != nil {
		t.Fatal(err)
	}
	if after := r.plane.Stats().Ended[forward.EndUnbound]; after != before+1 {
		t.Fatal("the session did not end")
	}
}

// TestPlaneIsFull: what a refused session took of other limits is given back.
func TestPlaneIsFull(t *testing.T) {
	r := startRelay(t, func(l *Limits) { l.SessionsPerDevice, l.SessionsPerRouter = 100, 100 }, nil)
	rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
	var last *wire.Opened
	for range 20 {
		m, err := device.open(t, rt.id)
		if err != nil {
			t.Fatal(err)
		}
		last = m
	}
	for range 100 {
		if _, err := device.open(t, rt.id); !errors.Is(err, wire.CodeTooManySessions) {
			t.Fatalf("one more than the plane holds: %v", err)
		}
	}
	r.endSession(t, last)
	if _, err := device.open(t, rt.id); err != nil {
		t.Errorf("there is a place, but: %v", err)
	}
	r.stop() // ends all sessions
	for i := range 100 {
		if !r.perRouter.Take(rt.id.RouterID()) || !r.perDevice.Take(device.id.DeviceID()) {
			t.Fatalf("%d sessions count though none is left", 100-i)
		}
	}
}

func TestOpensAreLimitedByDevice(t *testing.T) {
	r := startRelay(t, func(l *Limits) { l.OpensPerMinutePerDevice = 6 }, nil) // bursts of five
	nobody, device := identity(t), r.dial(t, identity(t))
	for i := range 6 {
		want := wire.CodeRouterOffline
		if i == 5 {
			want = wire.CodeRateLimited
		}
		if _, err := device.open(t, nobody); !errors.Is(err, want) {
			t.Errorf("open %d: %v, want %v", i, err, want)
		}
	}
	again := r.dial(t, device.id) // a new connection is the same device
	if _, err := again.open(t, nobody); !errors.Is(err, wire.CodeRateLimited) {
		t.Errorf("the same device on a new connection: %v", err)
	}
	if _, err := r.dial(t, identity(t)).open(t, nobody); !errors.Is(err, wire.CodeRouterOffline) {
		t.Errorf("another device: %v", err)
	}
}

// TestRequestsAreLimitedBySource: the connection counts, and then each open.
func TestRequestsAreLimitedBySource(t *testing.T) {
	r := startRelay(t, func(l *Limits) { l.RequestsPerMinute = 6 }, nil) // bursts of five
	nobody, device := identity(t), r.dial(t, identity(t))
	for i := range 4 {
		if _, err := device.open(t, nobody); !errors.Is(err, wire.CodeRouterOffline) {
			t.Errorf("open %d: %v", i, err)
		}
	}
	_, err := device.open(t, nobody)
	var refused *wire.Error
	if !errors.As(err, &refused) || refused.Code != wire.CodeRateLimited || refused.RetryAfter < time.Second || refused.RetryAfter > 10*time.Second {
		t.Errorf("the fifth open: %#v, want rate_limited with a time to wait", err)
	}
	if err := r.tryDial(t); !refusedAtOnce(err) {
		t.Errorf("another connection: %v, want CONNECTION_REFUSED", err)
	}
	// Each of the two datagrams that a ClientHello takes is refused by itself.
	if got := r.Connections.all(); got["ok"] != 1 || got["rate_limited"] == 0 {
		t.Errorf("counted %v, want 1 ok and some rate_limited", got)
	}
}

// TestConnectionsAreLimited: whoever holds connections open and asks nothing
// gets no more of them, and gives the places back.
func TestConnectionsAreLimited(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits func(*Limits)
	}{
		{"by source", func(l *Limits) { l.ConnectionsPerSource = 2 }},
		{"in all", func(l *Limits) { l.Routers = 2 - devicesAtOnce }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, tt.limits, nil)
			first := r.dial(t, identity(t))
			r.dial(t, identity(t))
			if err := r.tryDial(t); !refusedAtOnce(err) {
				t.Fatalf("the third connection: %v, want CONNECTION_REFUSED", err)
			}
			first.CloseWithError(0, "")
			for r.tryDial(t) != nil { // until the relay has seen the end of the first
				if t.Context().Err() != nil {
					t.Fatal("the place was not given back")
				}
			}
		})
	}
}

// tryDial makes a connection and gives it up.
func (r *testRelay) tryDial(t *testing.T) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	transport := &quic.Transport{Conn: listenUDP(t)}
	defer transport.Close()
	conn, err := transport.Dial(ctx, r.udpAddr(), clientTLS(certificate(t, identity(t))), nil)
	if err == nil {
		conn.CloseWithError(0, "")
	}
	return err
}

func refusedAtOnce(err error) bool {
	var transport *quic.TransportError
	return errors.As(err, &transport) && transport.Remote && transport.ErrorCode == quic.ConnectionRefused
}

// TestPairingsTakeNoPlaceOfOthers: a pairing session needs no grant, so it can't
// be what crowds out sessions with one.
func TestPairingsTakeNoPlaceOfOthers(t *testing.T) {
	r := startRelay(t, func(l *Limits) { l.SessionsPerRouter = 1 }, nil)
	rt := r.register(t, identity(t), accept)
	for i := range pairingsPerRouter + 1 {
		stranger := r.dial(t, identity(t))
		_, err := ask[*wire.Opened](t, stranger, &wire.Open{Router: rt.id.RouterID(), Purpose: wire.PurposePairing})
		if full := errors.Is(err, wire.CodeTooManySessions); full != (i == pairingsPerRouter) {
			t.Fatalf("pairing session %d: %v", i, err)
		}
	}
	device := r.dial(t, identity(t))
	if _, err := device.open(t, rt.id); err != nil {
		t.Errorf("a session with a grant: %v", err)
	}
}
