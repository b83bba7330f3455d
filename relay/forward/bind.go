package forward

import (
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// handle acts on a well-formed leg message. raw is the message as it came; the
// answer, when there is one, is written over it.
//
// A BIND passes four gates, cheapest first: the leg exists, the MAC is the
// leg's, the counter has risen, and the address it came from is the leg's
// already or has echoed our cookie. Only the last gate answers a stranger, and
// with no more bytes than it sent.
func (p *Plane) handle(msg wire.LegMessage, raw []byte, from udpio.Path) (answer []byte, why DropReason, ok bool) {
	if msg.Type != wire.TypeBind && msg.Type != wire.TypeUnbind {
		return nil, DropWrongWay, false
	}
	leg := p.leg(msg.Leg)
	switch {
	case leg == nil && msg.Type == wire.TypeUnbind:
		return nil, DropLateUnbind, false
	case leg == nil:
		return nil, DropUnknownLeg, false
	}
	answer, why, ok = p.admit(leg, msg, raw, from)
	if ok && msg.Type == wire.TypeUnbind {
		p.End(leg.session, EndUnbound)
	}
	return answer, why, ok
}

func (p *Plane) admit(leg *Leg, msg wire.LegMessage, raw []byte, from udpio.Path) (answer []byte, why DropReason, ok bool) {
	leg.mu.Lock()
	defer leg.mu.Unlock()
	switch {
	case leg.closed:
		return nil, DropUnknownLeg, false
	case !wire.VerifyLegMessage(raw, &leg.secret):
		return nil, DropBadMAC, false
	case msg.Counter <= leg.counter:
		return nil, DropReplay, false
	case msg.Type == wire.TypeUnbind:
		leg.counter = msg.Counter
		return nil, 0, true
	}
	now := leg.path.Load()
	if (now == nil || now.Remote != from.Remote) && !p.cookies.check(msg.Cookie, from.Remote, leg.id) {
		cookie := wire.LegMessage{Type: wire.TypeCookie, Leg: leg.id, Counter: msg.Counter, Cookie: p.cookies.make(from.Remote, leg.id)}
		return cookie.Append(raw[:0], &leg.secret), 0, true
	}
	leg.counter, leg.heard = msg.Counter, time.Now()
	if now == nil || *now != from {
		p.move(leg, now, from)
	}
	bound := wire.LegMessage{Type: wire.TypeBound, Leg: leg.id, Counter: msg.Counter}
	return bound.Append(raw[:0], &leg.secret), 0, true
}

// move gives the leg a new path; the caller holds leg.mu. An address can be one
// leg's only: when a NAT hands it to another leg, the one before loses it.
func (p *Plane) move(leg *Leg, old *udpio.Path, to udpio.Path) {
	if old != nil && old.Remote != to.Remote {
		p.table.remove(old.Remote, leg)
	}
	leg.tell(to.Remote)
	leg.path.Store(&to)
	if before := p.table.put(to.Remote, leg); before != nil && before != leg {
		if path := before.path.Load(); path != nil && path.Remote == to.Remote {
			before.path.CompareAndSwap(path, nil)
		}
	}
}

// tell calls the hook that wants to know of the leg's address, if that is not
// what it was last told; the caller holds l.mu.
func (l *Leg) tell(to udpio.Addr) {
	if l.onBound != nil && to.IP != l.told {
		l.told = to.IP
		l.onBound(netip.AddrFrom16(to.IP).Unmap())
	}
}
