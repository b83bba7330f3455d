package control

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

// live is a session from its making to its end. When its device moves to another
// network, it is judged again and the router is told.
type live struct {
	// static
	server *Server
	between

	moves latest[netip.Addr]  // the device's addresses, to be judged
	news  latest[*wire.Moved] // for the router; apart, since a router may be slow

	// guarded by mu
	mu       sync.Mutex
	session  *forward.Session // set once, before anybody else has the live
	evidence *evidence        // nil when the session has ended, or is for pairing
}

// begin makes the session. ended is called once when it is over.
func (s *Server) begin(who between, e *evidence, ended func()) (*live, error) {
	l := &live{server: s, between: who, evidence: e}
	l.moves = latest[netip.Addr]{launch: s.launch, do: l.look}
	l.news = latest[*wire.Moved]{launch: s.launch, do: l.tell}
	hooks := forward.Hooks{Ended: func(forward.EndReason) { l.forget(); ended() }}
	if e != nil {
		hooks.Bound = l.moves.put // called by a loop of the data plane, which can't wait
	}
	l.mu.Lock() // so that forget comes after what is done here
	defer l.mu.Unlock()
	session, err := s.cfg.Plane.NewSession(hooks)
	if err != nil {
		return nil, err
	}
	l.session = session
	s.held.add(l)
	if e != nil && e.verdict == ecv.StepUp {
		l.limit()
	}
	return l, nil
}

// limit leaves the session what it takes to confirm an environment. It must not
// be called twice: each call starts anew.
func (l *live) limit() {
	limits := &l.server.cfg.Limits
	l.session.Limit(limits.StepUpBytes, time.Now().Add(limits.StepUpTime))
}

// end ends the session, and calls forget with that.
func (l *live) end() { l.server.cfg.Plane.End(l.session, forward.EndByRelay) }

// forget wipes what was kept for judging.
func (l *live) forget() {
	l.moves.stop()
	l.news.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.server.held.remove(l)
	l.evidence.wipe()
	l.evidence = nil
	l.server.over()
}

// look judges the device at an address that its leg was bound to. The loops
// carry meanwhile; that is as long as it takes to start a goroutine and to judge.
func (l *live) look(addr netip.Addr) {
	moved, then := l.lookFrom(l.server.originOf(addr))
	if moved != nil {
		l.news.put(moved)
	}
	if then != nil {
		// The router gets a moment to tell the device. In a session that is limited
		// at once its word is lost among the data that is under way, and the device
		// waits for its idle time-out.
		time.AfterFunc(l.server.timeouts.settle, then)
	}
}

// lookFrom returns what the router is to be told, and what is to be done then;
// nil if the device is where it was, or nothing is. The first address counts as a
// move from that of the control connection.
func (l *live) lookFrom(here origin) (moved *wire.Moved, then func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.evidence
	if e == nil || e.origin == here {
		return nil, nil
	}
	if l.server.judgeAgain(e, here) {
		then = l.limit
		if e.verdict == ecv.Deny {
			then = l.end
		}
	}
	return &wire.Moved{Leg: l.session.Router.ID(), Vouched: e.told()}, then
}

// tell tells the session's router, if it is here. It has a policy of its own, so
// it hears of every move; what it answers changes nothing at the relay.
func (l *live) tell(m *wire.Moved) {
	router, present := l.server.presence.Get(l.router)
	if !present {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.server.timeouts.answer)
	defer cancel()
	router.ask(ctx, m)
}
