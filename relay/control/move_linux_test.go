package control

import (
	"maps"
	"net"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

// On Linux all of 127.0.0.0/8 is this machine, and so several networks.

// moving is a session whose device's leg is about to be bound.
type moving struct {
	*testRelay
	router *testRouter
	env    *environment
	opened *wire.Opened
	in     *wire.Incoming
	count  uint64 // the leg's counter
}

func (r *testRelay) moving(t *testing.T, rt *testRouter, p *ecv.Policy) *moving {
	t.Helper()
	device := r.dial(t, identity(t))
	m := &moving{testRelay: r, router: rt, env: usual(t, device.id)}
	accepted := ecv.Accepted{}
	if p != nil {
		accepted = m.env.accepted()
	}
	var err error
	m.opened, err = ask[*wire.Opened](t, device, device.show(t, m.env, rt.id, grantWith(t, rt.id, device.id, p, accepted)))
	if err != nil {
		t.Fatal(err)
	}
	m.in = rt.next(t)
	return m
}

// to binds the device's leg to this address.
func (m *moving) to(t *testing.T, ip string) *net.UDPConn {
	t.Helper()
	m.count += 2
	return m.bindFrom(t, ip, m.count, m.opened.Leg, m.opened.Secret)
}

// told checks what the router hears next.
func (m *moving) told(t *testing.T, ip string, limited bool) {
	t.Helper()
	want := wire.Moved{Leg: m.in.Leg, Vouched: m.in.Vouched}
	want.Vouched.Net, want.Vouched.Limited = m.env.netID(ip), limited
	if got := m.router.nextMove(t); *got != want {
		t.Errorf("the router is told %+v, want %+v", *got, want)
	}
}

// judged waits until all this has been counted.
func (m *moving) judged(t *testing.T, want map[string]uint64) {
	t.Helper()
	eventually(t, "all is judged", func() bool { return maps.Equal(m.Verdicts.all(), want) })
}

// TestMoveToWhatNeedsStepUp: the limit goes for the living session, and coming
// back does not lift it.
func TestMoveToWhatNeedsStepUp(t *testing.T) {
	r := startRelay(t, func(l *Limits) { l.StepUpBytes = 3000 }, nil)
	m := r.moving(t, r.register(t, identity(t), accept), policy(90, 30))
	b := r.bind(t, m.in.Leg, m.in.Secret)
	packet := "\x40" + string(make([]byte, 999))
	a := m.to(t, "127.0.0.1")
	for range 4 { // not limited yet
		tell(t, a, b, packet)
	}
	m.to(t, "127.16.0.1")
	m.told(t, "127.16.0.1", true)
	m.to(t, "127.0.0.1")
	m.told(t, "127.0.0.1", true)
	a = m.to(t, "127.16.0.1")
	m.told(t, "127.16.0.1", true)
	m.judged(t, map[string]uint64{"allow at open": 1, "step_up at move": 2, "allow at move": 1})
	eventually(t, "the session ends", func() bool {
		a.Write([]byte(packet))
		return r.plane.Stats().Ended[forward.EndLimited] == 1
	})
}

// TestMoveToWhatIsDenied ends the session, and the router is told all the same.
func TestMoveToWhatIsDenied(t *testing.T) {
	r := startRelay(t, nil, func(s *Server) { s.timeouts.settle = time.Second }) // for a router on a slow machine
	m := r.moving(t, r.register(t, identity(t), accept), policy(90, 90))
	m.to(t, "127.16.0.1") // at first, and not where the control connection was
	m.told(t, "127.16.0.1", false)
	if got := r.plane.Stats().Ended; got[forward.EndByRelay] != 0 {
		t.Errorf("ended before the router could tell its device: %v", got)
	}
	eventually(t, "the session ends", func() bool { return r.plane.Stats().Ended[forward.EndByRelay] == 1 })
	m.judged(t, map[string]uint64{"allow at open": 1, "deny at move": 1})
}

// TestMoveWithoutAPolicy: the router has one of its own.
func TestMoveWithoutAPolicy(t *testing.T) {
	r := startRelay(t, nil, nil)
	m := r.moving(t, r.register(t, identity(t), accept), nil)
	m.to(t, "127.16.0.1")
	m.told(t, "127.16.0.1", false)
	m.judged(t, map[string]uint64{"none at open": 1, "none at move": 1})
	if r.plane.Stats().Sessions != 1 {
		t.Error("the session has ended")
	}
}

// TestMoveWithinANetwork is none.
func TestMoveWithinANetwork(t *testing.T) {
	r := startRelay(t, nil, nil)
	m := r.moving(t, r.register(t, identity(t), accept), policy(90, 30))
	m.to(t, "127.0.0.1")
	m.to(t, "127.0.15.255")
	m.to(t, "127.16.0.1")
	m.told(t, "127.16.0.1", true)
	m.to(t, "127.16.1.1")
	m.to(t, "127.0.0.1")
	m.told(t, "127.0.0.1", true)
	m.judged(t, map[string]uint64{"allow at open": 1, "step_up at move": 1, "allow at move": 1})
}

// TestMoveToIPv6: the session was opened over IPv4.
func TestMoveToIPv6(t *testing.T) {
	r := startRelayOn(t, "[::]:0", nil, nil)
	m := r.moving(t, r.register(t, identity(t), accept), policy(90, 30))
	m.to(t, "::1")
	m.told(t, "::1", true)
	m.to(t, "127.0.0.1")
	m.told(t, "127.0.0.1", true)
}

// TestMoveToAnotherCountry within one network of addresses.
func TestMoveToAnotherCountry(t *testing.T) {
	r := startRelay(t, nil, func(s *Server) { s.cfg.GeoIP = loopbackWorld(t) })
	m := r.moving(t, r.register(t, identity(t), accept), &ecv.Policy{
		Weights: [ecv.Features]uint8{ecv.Account: 50, ecv.ASN: 10, ecv.Country: 10},
		Allow:   70, StepUp: 50, MaxAge: time.Hour,
	})
	id := func(f ecv.Feature, value []byte) wire.TagID { return wire.TagID(m.env.key().TagID(f, value)) }
	if in := m.in.Vouched; in.Country != id(ecv.Country, ecv.CountryValue("CH")) || in.ASN != id(ecv.ASN, ecv.ASNValue(64500)) {
		t.Errorf("at the open the router is told %+v", in)
	}
	m.to(t, "127.0.0.2")
	got := m.router.nextMove(t).Vouched
	if got.Net != m.in.Vouched.Net || got.Country != id(ecv.Country, ecv.CountryValue("FR")) || got.ASN != (wire.TagID{}) {
		t.Errorf("at the move the router is told %+v", got)
	}
	m.judged(t, map[string]uint64{"allow at open": 1, "step_up at move": 1})
}

// TestRouterThatDoesNotHearOfMoves: what a router does with the word of a move
// has no effect, and one that is slow holds up no judgement.
func TestRouterThatDoesNotHearOfMoves(t *testing.T) {
	t.Run("refuses", func(t *testing.T) {
		r := startRelay(t, nil, nil)
		refuse := func(s *quic.Stream) { wire.WriteMessage(s, &wire.Error{Code: wire.CodeDenied}) }
		m := r.moving(t, r.registerWith(t, identity(t), accept, refuse), nil)
		m.to(t, "127.16.0.1")
		m.told(t, "127.16.0.1", false)
		m.to(t, "127.0.0.1")
		m.told(t, "127.0.0.1", false)
		if r.plane.Stats().Sessions != 1 {
			t.Error("the session has ended")
		}
	})
	t.Run("is slow", func(t *testing.T) {
		r := startRelay(t, nil, nil)
		asked, goOn := make(chan struct{}, 3), make(chan struct{})
		rt := r.registerWith(t, identity(t), accept, func(s *quic.Stream) {
			asked <- struct{}{}
			<-goOn
			wire.WriteMessage(s, &wire.Accept{})
		})
		m := r.moving(t, rt, policy(90, 30))
		counts := map[string]uint64{"allow at open": 1}
		for i, ip := range []string{"127.16.0.1", "127.32.0.1", "127.48.0.1"} {
			m.to(t, ip)
			counts["step_up at move"] = uint64(i + 1)
			m.judged(t, counts)
			if i == 0 {
				<-asked // from now on, only the last word is kept for it
			}
		}
		close(goOn)
		m.told(t, "127.16.0.1", true)
		m.told(t, "127.48.0.1", true)
	})
	t.Run("never answers", func(t *testing.T) {
		r := startRelay(t, nil, func(s *Server) { s.timeouts.answer = 100 * time.Millisecond })
		never := make(chan struct{})
		t.Cleanup(func() { close(never) })
		m := r.moving(t, r.registerWith(t, identity(t), accept, func(*quic.Stream) { <-never }), nil)
		m.to(t, "127.16.0.1")
		m.told(t, "127.16.0.1", false)
		sessions, _ := r.held.of(between{auth.DeviceIDOf(m.in.Device[:]), m.router.id.RouterID()})
		eventually(t, "the relay gives up", func() bool {
			sessions[0].news.mu.Lock()
			defer sessions[0].news.mu.Unlock()
			return !sessions[0].news.running
		})
	})
	t.Run("is gone", func(t *testing.T) {
		r := startRelay(t, nil, nil)
		m := r.moving(t, r.register(t, identity(t), accept), policy(90, 90))
		m.router.CloseWithError(0, "")
		r.log.wait(t, "router gone")
		m.to(t, "127.16.0.1")
		m.judged(t, map[string]uint64{"allow at open": 1, "deny at move": 1})
		eventually(t, "the session ends", func() bool { return r.plane.Stats().Ended[forward.EndByRelay] == 1 })
	})
	t.Run("is back on another connection", func(t *testing.T) {
		r := startRelay(t, nil, nil)
		m := r.moving(t, r.register(t, identity(t), accept), nil)
		m.router = r.register(t, m.router.id, accept)
		m.to(t, "127.16.0.1")
		m.told(t, "127.16.0.1", false)
	})
}

// TestForgottenWithTheSession: what the relay kept for judging is wiped, and
// nothing names the session any more.
func TestForgottenWithTheSession(t *testing.T) {
	r := startRelay(t, nil, nil)
	m := r.moving(t, r.register(t, identity(t), accept), policy(90, 30))
	sessions, _ := r.held.of(between{auth.DeviceIDOf(m.in.Device[:]), m.router.id.RouterID()})
	if len(sessions) != 1 {
		t.Fatalf("%d sessions are held", len(sessions))
	}
	l := sessions[0]
	l.mu.Lock()
	e := l.evidence
	l.mu.Unlock()
	if e.key == (ecv.Key{}) || e.policy == nil || e.origin.network == "" {
		t.Fatal("there is nothing to wipe")
	}
	r.endSession(t, m.opened)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.evidence != nil || e.key != (ecv.Key{}) || e.policy != nil || e.origin != (origin{}) || e.vouched != (wire.Vouched{}) ||
		len(e.services) > 0 || e.accepted.Any(ecv.Net) {
		t.Error("the evidence is still there")
	}
	if r.held.sessions.Len() != 0 {
		t.Error("the session is still held")
	}
}

// TestKeyOfAnOpen: the request's copy of the observation key does not outlive it.
func TestKeyOfAnOpen(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
	m := device.show(t, usual(t, device.id), rt.id, grant(t, rt.id, device.id))
	if _, refused := r.admit(t.Context(), r.serverSide(t, device), m); refused != nil {
		t.Fatal(refused)
	}
	if m.ObservationKey != [32]byte{} {
		t.Error("it is still there")
	}
}
