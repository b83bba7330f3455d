package tunnel_test

import (
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
	"github.com/lethe-relay/lethe/tunnel"
)

// TestRebindShowsEvidence: a tunnel that moves shows by itself where it is now, and a place that is not known ends it.
func TestRebindShowsEvidence(t *testing.T) {
	w, c := newWorld(t), newCourt(homeOnly(t))
	w.listen(tunnel.ListenConfig{Judging: c.judging()}, handlers{"echo": echo})
	env := &surroundings{here: atHome(t)}
	tun := w.dialWith(w.dialFrom(env))
	w.wantEcho(tun, "at home")
	c.next(t)

	if err := tun.Rebind(); err != nil {
		t.Fatal(err)
	}
	if on := c.next(t); on.Evidence.WiFi == nil || on.Evidence.WiFi.SSID != atHome(t).WiFi.SSID {
		t.Errorf("the judge got %+v", on.Evidence)
	}
	w.wantEcho(tun, "still at home")

	env.moveTo(atCafe(t))
	if err := tun.Rebind(); err != nil {
		t.Fatal(err)
	}
	if on := c.next(t); on.Evidence.WiFi == nil || on.Evidence.WiFi.SSID != atCafe(t).WiFi.SSID {
		t.Errorf("the judge got %+v", on.Evidence)
	}
	wantEnd(t, tun, soon, "step_up_required", "wifi_unknown", ecv.ScoreLow)
}

// movingBench is a router at an evil relay that tells it of moves.
type movingBench struct {
	*world
	evil     *evilRelay
	court    *court
	sessions <-chan carried
}

func newMovingBench(t *testing.T, rule func(tunnel.Case) tunnel.Ruling, grace time.Duration) *movingBench {
	t.Helper()
	e, c := newEvilRelay(t), newCourt(rule)
	w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
	w.impatient(tunnel.ListenConfig{Judging: c.judging()}, grace, time.Minute, handlers{"echo": echo})
	return &movingBench{world: w, evil: e, court: c, sessions: e.carry(w, wire.Vouched{})}
}

// moved tells the router that the session's device has another network now.
func (b *movingBench) moved(s *forward.Session, network byte) {
	b.t.Helper()
	m := &wire.Moved{Leg: s.Router.ID(), Vouched: wire.Vouched{Net: wire.TagID{network}}}
	if err := b.evil.tell(b.router.RouterID(), m); err != nil {
		b.t.Error(err)
	}
}

func network(n byte) tunnel.Vouched { return tunnel.Vouched{Net: ecv.TagID{n}} }

// TestMovedWantsEvidence: what the relay sees of a move is judged at once, and the device asked what it sees there.
func TestMovedWantsEvidence(t *testing.T) {
	b := newMovingBench(t, homeOnly(t), time.Minute)
	env := &surroundings{here: atHome(t)}
	tun := b.dialWith(b.dialFrom(env))
	s := (<-b.sessions).session
	first := b.court.next(t)
	if first.Vouched != network(0) || first.Again || first.EvidenceAt.IsZero() {
		t.Errorf("the judge got %+v", first)
	}
	b.moved(s, 1)
	old := b.court.next(t)
	if old.Vouched != network(1) || old.Evidence.WiFi == nil || !old.Again || !old.EvidenceAt.Equal(first.EvidenceAt) {
		t.Errorf("the judge got %+v", old)
	}
	if on := b.court.next(t); on.Vouched != network(1) || on.Evidence.WiFi == nil || !on.EvidenceAt.After(first.EvidenceAt) {
		t.Errorf("the judge got %+v", on)
	}
	if n := env.times(); n != 2 {
		t.Errorf("the environment was asked %d times, want 2", n)
	}
	b.wantEcho(tun, "still at home")

	env.moveTo(atCafe(t))
	b.moved(s, 2)
	wantEnd(t, tun, soon, "step_up_required", "wifi_unknown", ecv.ScoreLow)
}

// TestMovedWorse: a network that is not known may be enough to end a tunnel.
func TestMovedWorse(t *testing.T) {
	b := newMovingBench(t, func(c tunnel.Case) tunnel.Ruling {
		if c.Vouched == network(6) {
			return ruled(ecv.Deny, "net_unknown")
		}
		return ruled(ecv.Allow)
	}, time.Minute)
	tun := b.dialWith(b.dialFrom(nil))
	b.wantEcho(tun, "before")
	b.moved((<-b.sessions).session, 6)
	select {
	case <-tun.Done():
		wantRefusal(t, tun.Err(), "router", "env_denied")
	case <-time.After(soon):
		t.Fatal("the tunnel lives on")
	}
}

// TestMovedUnanswered: a device that does not say where it is now is judged as one that shows nothing, however often
// it moves on.
func TestMovedUnanswered(t *testing.T) {
	const grace = 200 * time.Millisecond
	b := newMovingBench(t, homeOnly(t), grace)
	conn, s := b.evil.raw(b.world, nil)
	first, last := b.firstStream(conn, atHome(t)), make(chan uint8, 1)
	go func() { last <- lastVerdict(first) }()
	b.court.next(t)
	began := time.Now()
	for n := range byte(5) {
		b.moved(s, n)
	}
	for {
		on := b.court.next(t)
		if isEmpty(on.Evidence) {
			break
		}
	}
	if took := time.Since(began); took < grace {
		t.Errorf("it was given %v, want %v", took, grace)
	}
	wantClosed(t, conn, wire.CodeStepUpRequired)
	if got := <-last; got != wire.VerdictStepUp {
		t.Errorf("the last verdict is %d", got)
	}
}

// TestMovedOthers: what the relay says of one session is of no other, and of none if it does not exist.
func TestMovedOthers(t *testing.T) {
	b := newMovingBench(t, func(c tunnel.Case) tunnel.Ruling {
		if c.Vouched == network(6) {
			return ruled(ecv.Deny)
		}
		return ruled(ecv.Allow)
	}, time.Minute)
	kept := b.dialWith(b.dialFrom(nil))
	<-b.sessions
	other := b.dialWith(b.dialFrom(nil))
	s := (<-b.sessions).session
	b.court.next(t)
	b.court.next(t)

	b.moved(b.evil.newSession(), 6) // of no router
	b.moved(s, 6)
	if on := b.court.next(t); on.Vouched != network(6) {
		t.Errorf("the judge got %+v", on)
	}
	<-other.Done()
	b.moved(s, 6) // it has ended
	b.wantEcho(kept, "still here")
	if len(b.court.cases) != 0 {
		t.Errorf("%d other cases were judged", len(b.court.cases))
	}
}

// TestMovedEarly: a move that the relay sees before the device has said anything is judged, too.
func TestMovedEarly(t *testing.T) {
	b := newMovingBench(t, always(ecv.Allow), time.Minute)
	conn, s := b.evil.raw(b.world, nil)
	b.moved(s, 1)
	b.moved(s, 2)
	if n := len(b.court.cases); n != 0 {
		t.Errorf("%d cases were judged before any evidence", n)
	}
	b.firstStream(conn, atHome(t))
	if on := b.court.next(t); on.Vouched != network(0) || on.Evidence.WiFi == nil {
		t.Errorf("first: %+v", on)
	}
	if on := b.court.next(t); on.Vouched != network(2) || on.Evidence.WiFi == nil {
		t.Errorf("then: %+v", on)
	}
}

// TestLyingRelay: a relay that vouches for all that a grant accepts lets nobody in who shows nothing to the router.
func TestLyingRelay(t *testing.T) {
	e := newEvilRelay(t)
	w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
	accepted := learnedHome(t, w.device.PublicKey())
	c := newCourt(byPolicy(accepted))
	w.listen(tunnel.ListenConfig{Judging: c.judging()}, handlers{"echo": echo})
	sessions := e.carry(w, everything(accepted))

	tun := w.dialWith(w.dialFrom(&surroundings{here: atHome(t)}))
	w.wantEcho(tun, "what is right is let in")
	c.next(t)

	for name, evidence := range map[string]ecv.Evidence{"nothing": {}, "another place": atCafe(t)} {
		cfg := w.dialFrom(&surroundings{here: evidence})
		tun := w.dialWith(cfg)
		wantRefusal(t, w.answerOf(tun, "echo"), "router", "step_up_required")
		if on := c.next(t); on.Vouched == (tunnel.Vouched{}) {
			t.Errorf("%s: the relay did not lie", name)
		}
	}

	// Nor does it help to say so later.
	<-sessions
	moved := &wire.Moved{Leg: (<-sessions).session.Router.ID(), Vouched: everything(accepted)}
	if err := e.tell(w.router.RouterID(), moved); err != nil {
		t.Error(err)
	}
	c.next(t)
	wantRefusal(t, w.answerOf(w.dialWith(w.dialFrom(nil)), "echo"), "router", "step_up_required")
}

// TestLimitedByRelay: the router knows that the relay carries a session within limits only.
func TestLimitedByRelay(t *testing.T) {
	e := newEvilRelay(t)
	w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
	c := newCourt(always(ecv.Allow))
	w.listen(tunnel.ListenConfig{Judging: c.judging()}, handlers{"echo": echo})
	sessions := e.carry(w, wire.Vouched{Limited: true})
	w.dialWith(w.dialFrom(nil))
	if on := c.next(t); !on.Vouched.Limited {
		t.Errorf("the judge got %+v", on)
	}
	if err := e.tell(w.router.RouterID(), &wire.Moved{Leg: (<-sessions).session.Router.ID()}); err != nil {
		t.Error(err)
	}
	if on := c.next(t); on.Vouched.Limited {
		t.Errorf("then it got %+v", on)
	}
}
