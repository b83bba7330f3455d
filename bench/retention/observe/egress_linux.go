package observe

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"
)

// Egress watches to whom the group sends.
type Egress struct {
	sockets *socketWatch
	ring    *ring // nil if nothing can be captured
	gaps    Result

	mu        sync.Mutex
	sent      map[netip.AddrPort]Sent
	announced map[netip.AddrPort]bool
}

// Sent is what has left from the relay's port to one destination.
type Sent struct {
	To        netip.AddrPort `json:"to"`
	Datagrams uint64         `json:"datagrams"` // as the interface saw them: one may be up to 64 KB of GSO segments
	Bytes     uint64         `json:"bytes"`     // of UDP payload
	Announced bool           `json:"announced"`
}

// WatchEgress captures the headers of what leaves from UDP port in the network namespace of the
// group, and lists the sockets that its processes have, every 100 ms.
func WatchEgress(g *Group, port uint16) *Egress {
	e := &Egress{sent: make(map[netip.AddrPort]Sent), announced: make(map[netip.AddrPort]bool), sockets: watchSockets(g)}
	var err error
	if e.ring, err = capture(g, direction{outgoing: true, port: port}.program(1, headerSize), e.count); err != nil {
		e.gaps.gap(DetectorEgress, fmt.Sprintf("what leaves can't be captured (AF_PACKET): %v", err))
	}
	return e
}

// Announce tells of addresses to which the relay may send: legs, routers, devices. It counts
// also for what was sent before: findings are made by Stop. An address with port 0 stands for all its ports.
func (e *Egress) Announce(to ...netip.AddrPort) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range to {
		e.announced[netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())] = true
	}
}

// Sent lists all destinations so far, those with most bytes first.
func (e *Egress) Sent() []Sent {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Sent
	for _, s := range e.sent {
		s.Announced = e.isAnnounced(s.To)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Sent) int {
		if a.Bytes != b.Bytes {
			return int(min(b.Bytes, 1<<62)) - int(min(a.Bytes, 1<<62))
		}
		return a.To.Compare(b.To)
	})
	return all
}

func (e *Egress) isAnnounced(to netip.AddrPort) bool {
	return e.announced[to] || e.announced[netip.AddrPortFrom(to.Addr(), 0)]
}

// Stop ends. Findings: destinations that were not announced; sockets, new since the start,
// other than connections which the relay has accepted.
func (e *Egress) Stop() Result {
	r := e.gaps
	if e.ring != nil {
		lost, err := e.ring.end()
		if lost > 0 || err != nil {
			r.gap(DetectorEgress, fmt.Sprintf("the headers of %d datagrams were lost by the capture, %v", lost, err))
		}
		for _, s := range e.Sent() {
			if !s.Announced {
				r.found(DetectorEgress, fmt.Sprintf("%d bytes in %d datagrams went to %s, which is nobody's leg", s.Bytes, s.Datagrams, s.To))
			}
		}
	}
	r.Add(e.sockets.stop())
	return r
}

// count takes a captured datagram.
func (e *Egress) count(packet []byte, size int) {
	to, header := destination(packet)
	if header == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.sent[to]
	s.To, s.Datagrams, s.Bytes = to, s.Datagrams+1, s.Bytes+uint64(size-header)
	e.sent[to] = s
}

// destination reads IP and UDP headers; header is their size in bytes, 0 if they are cut short.
func destination(packet []byte) (to netip.AddrPort, header int) {
	if len(packet) == 0 {
		return to, 0
	}
	var addr netip.Addr
	ip := 40
	switch {
	case packet[0]>>4 == 4 && len(packet) >= 20:
		ip = int(packet[0]&15) * 4
		addr = netip.AddrFrom4([4]byte(packet[16:20]))
	case packet[0]>>4 == 6 && len(packet) >= ip:
		addr = netip.AddrFrom16([16]byte(packet[24:40]))
	default:
		return to, 0
	}
	if len(packet) < ip+8 {
		return to, 0
	}
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(packet[ip+2:])), ip + 8
}
