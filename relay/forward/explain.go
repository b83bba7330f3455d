package forward

import (
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// What the plane holds, for whoever has to tell it: [Session.Held] and
// [Plane.HeldAt]. A new map or field with an address in it belongs here, too.

// HeldLeg is what is held about one side of a session. Its key is not in it.
type HeldLeg struct {
	ID        wire.LegID
	Address   netip.AddrPort // zero: it is bound to none
	Told      netip.Addr     // where the control plane was last told that it is; zero: it was not
	Counter   uint64         // of the last BIND
	Heard     time.Time      // when that came; zero: none has
	Datagrams uint64         // that it has sent
	Bytes     uint64         // that it has sent
}

// HeldSession is what is held about a session. Who its ends are is not known here.
type HeldSession struct {
	Device, Router HeldLeg
	Active         time.Time // when the sweeper last saw it carry something, or its making

	// Limit is in force if Limited.
	Limited    bool
	LimitBytes uint64
	LimitUsed  uint64
	LimitUntil time.Time // zero: none
}

// Held reads all that the plane holds about the session.
func (s *Session) Held() HeldSession {
	held := HeldSession{Device: s.Device.held(), Router: s.Router.held()}
	s.sweep.Lock()
	held.Active = s.active
	s.sweep.Unlock()
	if l := s.limit.Load(); l != nil {
		held.Limited, held.LimitBytes, held.LimitUsed, held.LimitUntil = true, l.bytes, l.used.Load(), l.until
	}
	return held
}

func (l *Leg) held() HeldLeg {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := HeldLeg{ID: l.id, Counter: l.counter, Heard: l.heard, Datagrams: l.datagrams.Load(), Bytes: l.bytes.Load()}
	if path := l.path.Load(); path != nil {
		held.Address = path.Remote.AddrPort()
	}
	if l.told != [16]byte{} {
		held.Told = netip.AddrFrom16(l.told).Unmap()
	}
	return held
}

// HeldAddress is what is held about a source address, whatever its port.
type HeldAddress struct {
	Legs  int // entries of the address table: legs that are bound to it
	Peers int // connections of the control plane that may come from it, handshakes among them
}

// HeldAt looks through all that is keyed by an address. The datagrams that are in
// the packet buffers at this moment are not looked at: they are gone before an
// answer could be given.
func (p *Plane) HeldAt(addr netip.Addr) (held HeldAddress) {
	ip := udpio.AddrFrom(netip.AddrPortFrom(addr.WithZone(""), 0)).IP
	for i := range p.table.buckets {
		for n := p.table.buckets[i].Load(); n != nil; n = n.next {
			if n.addr.IP == ip {
				held.Legs++
			}
		}
	}
	p.control.peersMu.RLock()
	defer p.control.peersMu.RUnlock()
	for peer, n := range p.control.peers.All() {
		if peer.IP == ip {
			held.Peers += n
		}
	}
	return held
}
