package forward

import (
	"bytes"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// moved returns an endpoint of the same leg on another socket.
func (e *endpoint) moved(r running, ip string) *endpoint {
	e.t.Helper()
	again := r.endpoint(e.t, ip, e.spare)
	again.id, again.secret, again.counter = e.id, e.secret, e.counter
	return again
}

func TestRebind(t *testing.T) {
	r := start(t, nil)
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	again := device.moved(r, "127.0.0.2")
	cookie := again.ask(wire.Cookie{}, wire.TypeCookie).Cookie
	router.sendOne(payload(20, 20)) // the leg has not moved yet
	device.want(payload(20, 20))

	again.ask(cookie, wire.TypeBound)
	router.sendOne(payload(30, 30))
	again.want(payload(30, 30))
	again.sendOne(payload(40, 40))
	router.want(payload(40, 40))

	device.sendOne(payload(50, 50)) // from the address it had before
	device.quiet()
	if st := r.Stats(); st.Control != 1 {
		t.Errorf("the old address is still a leg's: %+v", st)
	}
}

// TestAddressGoesToAnotherLeg: a NAT gives the address of one leg to another.
func TestAddressGoesToAnotherLeg(t *testing.T) {
	r := start(t, nil)
	first, firstRouter, s1 := r.pair(t, "127.0.0.1", "127.0.0.1")
	_, secondRouter, s2 := r.pair(t, "127.0.0.1", "127.0.0.1")
	first.id, first.secret, first.counter = s2.Device.ID(), s2.Device.Secret(), 1000
	first.bind()
	if s1.Device.Bound() || !s2.Device.Bound() {
		t.Fatalf("bound: first %t, second %t", s1.Device.Bound(), s2.Device.Bound())
	}
	first.sendOne(payload(20, 20))
	secondRouter.want(payload(20, 20))
	firstRouter.sendOne(payload(20, 20))
	firstRouter.quiet()
	if got := r.dropped(); !maps.Equal(got, map[DropReason]uint64{DropPeerUnbound: 1}) {
		t.Errorf("dropped %v", got)
	}

	r.End(s1, EndByRelay) // takes nothing from the second
	first.sendOne(payload(30, 30))
	secondRouter.want(payload(30, 30))
}

func TestUnbindEndsTheSession(t *testing.T) {
	r := start(t, nil)
	ended := make(chan EndReason, 10)
	s := r.session(t, Hooks{Ended: func(why EndReason) { ended <- why }})
	device, router := r.endpoint(t, "127.0.0.1", s.Device), r.endpoint(t, "127.0.0.1", s.Router)
	device.bind()
	router.bind()
	device.sendOne(device.message(wire.TypeUnbind, wire.Cookie{}))
	device.quiet()
	router.sendOne(router.message(wire.TypeUnbind, wire.Cookie{}))
	router.sendOne(router.message(wire.TypeBind, wire.Cookie{}))
	router.quiet()
	r.End(s, EndByRelay)
	if n := len(ended); n != 1 {
		t.Fatalf("Ended was called %d times", n)
	}
	if why := <-ended; why != EndUnbound {
		t.Errorf("ended: %v", why)
	}
	if got := r.dropped(); !maps.Equal(got, map[DropReason]uint64{DropLateUnbind: 1, DropUnknownLeg: 1}) {
		t.Errorf("dropped %v", got)
	}
	if st := r.Stats(); st.Sessions != 1 || st.BoundLegs != 0 || st.Ended[EndUnbound] != 1 || st.Ended[EndByRelay] != 0 { // the spare one
		t.Errorf("%+v", st)
	}
	r.forgotten(t, s)
}

// forgotten fails if anything of s can still be reached.
func (p *Plane) forgotten(t *testing.T, s *Session) {
	t.Helper()
	p.mu.RLock()
	defer p.mu.RUnlock()
	if _, there := p.sessions[s]; there {
		t.Error("the session is still listed")
	}
	for _, l := range s.legs() {
		if p.legs.Get(l.id) != nil {
			t.Error("the leg can still be found by its id")
		}
		if l.Bound() || l.Secret() != (wire.LegSecret{}) || l.remembers() {
			t.Error("the leg still has an address or its secret")
		}
	}
	for i := range p.table.buckets {
		for n := p.table.buckets[i].Load(); n != nil; n = n.next {
			if n.leg.session == s {
				t.Errorf("the address table still has %v", n.addr)
			}
		}
	}
}

// remembers tells whether the leg knows an address that it was bound to.
func (l *Leg) remembers() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told != [16]byte{}
}

func TestEndOnceFromManySides(t *testing.T) {
	r := start(t, nil)
	var calls atomic.Int32
	s := r.session(t, Hooks{Ended: func(EndReason) { calls.Add(1) }})
	device, router := r.endpoint(t, "127.0.0.1", s.Device), r.endpoint(t, "127.0.0.1", s.Router)
	device.bind()
	router.bind()
	var wg sync.WaitGroup
	device.sendOne(device.message(wire.TypeUnbind, wire.Cookie{}))
	for range 8 {
		wg.Go(func() { r.End(s, EndIdle) })
	}
	wg.Wait()
	device.quiet()
	if n := calls.Load(); n != 1 {
		t.Errorf("Ended was called %d times", n)
	}
	r.forgotten(t, s)
}

// TestEndDuringBinds races BINDs of both legs with the end of the session.
func TestEndDuringBinds(t *testing.T) {
	p := newPlane(testConfig())
	for range 200 {
		s, err := p.NewSession(Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i, l := range s.legs() {
			secret := l.Secret()
			wg.Go(func() {
				for n := range uint64(4) {
					from := udpio.Path{Remote: address(int(n) + 10*i)}
					raw := wire.LegMessage{Type: wire.TypeBind, Leg: l.id, Counter: n + 1, Cookie: p.cookies.make(from.Remote, l.id)}.Append(nil, &secret)
					msg, _ := wire.ParseLegMessage(raw)
					p.handle(msg, raw, from)
				}
			})
		}
		wg.Go(func() { p.End(s, EndByRelay) })
		wg.Wait()
		p.forgotten(t, s)
	}
}

// TestEndedLegTakesNothing: a loop may have found the leg just before it ended.
// Its secret is zero then, which everybody knows.
func TestEndedLegTakesNothing(t *testing.T) {
	p := newPlane(testConfig())
	s, err := p.NewSession(Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	p.End(s, EndByRelay)
	from := udpio.Path{Remote: address(1)}
	for _, typ := range []wire.Type{wire.TypeBind, wire.TypeUnbind} {
		msg := wire.LegMessage{Type: typ, Leg: s.Device.id, Counter: 1}
		if typ == wire.TypeBind {
			msg.Cookie = p.cookies.make(from.Remote, s.Device.id)
		}
		if answer, why, ok := p.admit(s.Device, msg, msg.Append(nil, &wire.LegSecret{}), from); answer != nil || ok || why != DropUnknownLeg {
			t.Errorf("%v: answer %x, %v, %t", typ, answer, why, ok)
		}
	}
	p.forgotten(t, s)
}

func TestRunEndsAllSessions(t *testing.T) {
	r := start(t, nil)
	ended := make(chan EndReason, 1)
	s := r.session(t, Hooks{Ended: func(why EndReason) { ended <- why }})
	device := r.endpoint(t, "127.0.0.1", s.Device)
	device.bind()
	r.stop()
	if why := <-ended; why != EndByRelay {
		t.Errorf("ended: %v", why)
	}
	r.forgotten(t, s)
}

func TestMaxSessions(t *testing.T) {
	p := newPlane(Config{MaxSessions: 2})
	first, err := p.NewSession(Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.NewSession(Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.NewSession(Hooks{}); !errors.Is(err, ErrFull) {
		t.Fatalf("the third session: %v", err)
	}
	p.End(first, EndByRelay)
	if _, err := p.NewSession(Hooks{}); err != nil {
		t.Errorf("a place is free, but: %v", err)
	}
}

func TestOneWayAllowance(t *testing.T) {
	r := start(t, func(c *Config) { c.OneWayBytes = 1000 })
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	for range 4 {
		device.sendOne(payload(400, 400))
	}
	device.quiet()
	router.want(bytes.Repeat(payload(400, 400), 3)) // the third goes over it
	router.quiet()
	if got := r.dropped(); !maps.Equal(got, map[DropReason]uint64{DropOneWay: 1}) {
		t.Errorf("dropped %v", got)
	}
	router.sendOne(payload(10, 10))
	device.want(payload(10, 10))
	for range 4 {
		device.sendOne(payload(400, 400))
		router.want(payload(400, 400))
	}
}

func TestSessionsThatEndByThemselves(t *testing.T) {
	const idle = 40 * time.Second
	for _, tt := range []struct {
		name  string
		bound int // legs
		carry int // datagrams, one every ten seconds
		want  EndReason
		after time.Duration
	}{
		{"not bound", 0, 0, EndNotBound, bindTimeout},
		{"half bound", 1, 0, EndNotBound, bindTimeout},
		{"bound, nothing carried", 2, 0, EndIdle, idle},
		{"carries for a while", 2, 10, EndIdle, 90*time.Second + idle},
		{"half bound after it carried", 1, 10, EndIdle, 90*time.Second + idle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlane(Config{MaxSessions: 1, IdleTimeout: idle})
				made := time.Now()
				var took time.Duration
				var why EndReason
				s, err := p.NewSession(Hooks{Ended: func(w EndReason) { why, took = w, time.Since(made) }})
				if err != nil {
					t.Fatal(err)
				}
				for i, l := range s.legs() {
					if i < tt.bound {
						l.path.Store(&udpio.Path{Remote: address(i)})
						l.heard = made
					}
				}
				go p.sweep(t.Context())
				for range tt.carry {
					s.Router.datagrams.Add(1)
					time.Sleep(10 * time.Second)
				}
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if why != tt.want || took < tt.after || took > tt.after+2*sweepInterval {
					t.Errorf("%v after %v, want %v after %v", why, took, tt.want, tt.after)
				}
			})
		})
	}
}

// TestEveryEndReason produces each reason. A reason that is not in its table fails it.
func TestEveryEndReason(t *testing.T) {
	produce := map[EndReason]func(t *testing.T, b bench){
		EndUnbound: func(t *testing.T, b bench) {
			l := b.s.Router
			b.feed(t, address(benchRouter), wire.LegMessage{Type: wire.TypeUnbind, Leg: l.id, Counter: 1}.Append(nil, new(l.Secret())), 0)
		},
		EndIdle: func(t *testing.T, b bench) {
			b.feed(t, address(benchDevice), payload(10, 10), 0)
			now := time.Now()
			b.look(now)
			b.look(now.Add(b.cfg.IdleTimeout))
		},
		EndNotBound: func(t *testing.T, b bench) {
			b.s.Device.path.Store(nil)
			b.look(time.Now().Add(bindTimeout))
		},
		EndByRelay: func(t *testing.T, b bench) { b.endAll() },
		EndLimited: func(t *testing.T, b bench) {
			b.s.Limit(0, time.Now())
			b.look(time.Now())
		},
	}
	for why := range endReasons {
		t.Run(why.String(), func(t *testing.T) {
			b := newBench(t)
			if produce[why] == nil {
				t.Fatal("nothing here produces it")
			}
			produce[why](t, b)
			if got := nonZero(b.Stats().Ended); !maps.Equal(got, map[EndReason]uint64{why: 1}) {
				t.Errorf("ended %v", got)
			}
		})
	}
}

// TestCookiesAge: a cookie is good for one lifetime at least and two at most.
func TestCookiesAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(Config{MaxSessions: 1})
		go p.sweep(t.Context())
		time.Sleep(cookieLifetime - sweepInterval/2) // the worst moment
		c := p.cookies.make(address(1), 1)
		time.Sleep(cookieLifetime)
		if !p.cookies.check(c, address(1), 1) {
			t.Error("refused within its lifetime")
		}
		time.Sleep(cookieLifetime)
		if p.cookies.check(c, address(1), 1) {
			t.Error("accepted after two lifetimes")
		}
	})
}
