package observe

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// Sampler records windows of what is sent to the relay.
type Sampler struct {
	direction direction
	budget    int
	ring      *ring // nil if nothing can be captured
	pace      *sampler
	gaps      Result

	mu     sync.Mutex
	from   map[netip.AddrPort]bool // nil: everybody
	dense  bool
	every  uint32
	passed uint64 // datagrams since the pace was last looked at
	spread []canary.Window
	offers uint64 // windows that spread could have had
	recent []canary.Window
	oldest int // in recent, when that is full
}

const (
	windowEvery  = 1200            // bytes of a merged datagram for which one window is taken while dense
	wantedPerSec = 200             // captured datagrams that spread needs
	paceEvery    = time.Second / 4 // how often the share of captured datagrams is set anew
	mostSpread   = 1 << 16         // one datagram of so many is captured at least
)

// StartSampler records from datagrams that arrive at UDP port in the network namespace of the group: at
// most budget windows, spread evenly over time, and as many again while Dense is on.
func StartSampler(g *Group, port uint16, budget int) *Sampler {
	s := &Sampler{direction: direction{port: port}, budget: budget, every: 1}
	var err error
	if s.ring, err = capture(g, s.direction.program(1, wholeDatagram), s.take); err != nil {
		s.gaps.gap(DetectorMemory, fmt.Sprintf("no windows could be recorded from the wire (AF_PACKET): %v", err))
		return s
	}
	s.pace = startSampler(paceEvery, s.setPace)
	return s
}

// Only records from these sources alone from now on, and from those of earlier calls:
// what arrives at the port from elsewhere is the control plane's, and is no payload.
func (s *Sampler) Only(from ...netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.from == nil {
		s.from = make(map[netip.AddrPort]bool)
	}
	for _, a := range from {
		s.from[netip.AddrPortFrom(a.Addr().Unmap(), a.Port())] = true
	}
}

// Without takes sources out of those that Only has named: call it before their sockets are
// closed, since the next who gets the port may be the control plane's.
func (s *Sampler) Without(from ...netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range from {
		delete(s.from, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
	}
}

// source is where a packet comes from whose header destination has measured.
func source(packet []byte, header int) netip.AddrPort {
	port := binary.BigEndian.Uint16(packet[header-8:])
	if packet[0]>>4 == 4 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(packet[12:16])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(packet[8:24])).Unmap(), port)
}

// setPace captures a smaller share of the datagrams when there are many of them: copies cost time.
func (s *Sampler) setPace() {
	s.mu.Lock()
	defer s.mu.Unlock()
	const wanted = wantedPerSec * uint64(paceEvery) / uint64(time.Second)
	switch {
	case s.dense:
		return
	case s.passed > 2*wanted:
		s.set(uint32(min(uint64(s.every)*(s.passed/wanted), mostSpread)))
	case s.passed < wanted/2 && s.every > 1:
		s.set(s.every / 2)
	}
	s.passed = 0
}

// set captures one datagram of so many. The caller holds mu.
func (s *Sampler) set(every uint32) {
	s.every = every
	s.filter(every)
}

func (s *Sampler) filter(every uint32) {
	if err := s.ring.filter(s.direction.program(every, wholeDatagram)); err != nil {
		s.gaps.gap(DetectorMemory, fmt.Sprintf("how many windows are recorded could not be changed: %v", err))
	}
}

// Dense switches recording of everything on or off: one window of every 1,200 bytes or so. Switch it on
// some 50 ms before a snapshot in mid-session, and off after it: what the snapshot holds
// was on the wire just before. It keeps the last windows, if there are more than budget.
// Switching it off takes some 40 ms, until all that has passed is recorded. For one goroutine.
func (s *Sampler) Dense(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring == nil || s.dense == on {
		return
	}
	if on {
		s.dense = true
		s.filter(1)
		return
	}
	s.filter(s.every)
	s.mu.Unlock()
	<-time.After(2 * retireMS * time.Millisecond)
	s.mu.Lock()
	s.dense, s.passed = false, 0
}

// take takes a captured datagram.
func (s *Sampler) take(packet []byte, _ int) {
	_, header := destination(packet)
	payload := packet[header:]
	if header == 0 || len(payload) < canary.WindowSize {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed++
	if s.from != nil && !s.from[source(packet, header)] {
		return
	}
	if !s.dense {
		s.keep(windowOf(payload))
	}
	for ; s.dense && len(payload) >= canary.WindowSize; payload = payload[min(len(payload), windowEvery):] {
		s.keepRecent(windowOf(payload[:min(len(payload), windowEvery)]))
	}
}

// windowOf takes 16 bytes from somewhere in payload.
func windowOf(payload []byte) canary.Window {
	return canary.Window(payload[rand.IntN(len(payload)-canary.WindowSize+1):])
}

// keep gives every window the same chance to be among the budget (reservoir sampling).
func (s *Sampler) keep(w canary.Window) {
	s.offers++
	if len(s.spread) < s.budget {
		s.spread = append(s.spread, w)
	} else if i := rand.Uint64N(s.offers); i < uint64(s.budget) {
		s.spread[i] = w
	}
}

// keepRecent forgets the oldest window when there are too many.
func (s *Sampler) keepRecent(w canary.Window) {
	if len(s.recent) < s.budget {
		s.recent = append(s.recent, w)
		return
	}
	s.recent[s.oldest] = w
	s.oldest = (s.oldest + 1) % s.budget
}

// Windows returns a copy of what was recorded so far, both ways.
func (s *Sampler) Windows() []canary.Window {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.spread, s.recent)
}

// Stop ends recording; Windows stay.
func (s *Sampler) Stop() Result {
	if s.ring == nil {
		return s.gaps
	}
	s.pace.stop()
	lost, err := s.ring.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring = nil
	if err != nil {
		s.gaps.gap(DetectorMemory, fmt.Sprintf("recording windows ended badly: %v", err))
	}
	if lost > 0 {
		s.gaps.note(DetectorMemory, fmt.Sprintf("%d datagrams passed while windows were recorded and could not be", lost))
	}
	return s.gaps
}
