package tunnel

import (
	"sync"

	"github.com/quic-go/quic-go"
)

// How much may be under way to an endpoint is a question of its memory: all of
// it may have to wait there until the application reads. Every tunnel begins
// with quic-go's 768 KiB and doubles that, up to connWindow, while its window is
// what limits it. What tunnels take beyond their beginnings comes from a budget, and
// goes back to it at their end. A router has one for all its tunnels; on a device each
// tunnel has its own, since a device has one or two, and dials them apart. Memory is
// what the program may have, see ownMemory:
//
//	memory        budget    a first tunnel's window    of which 1 Gbit/s has a round trip of
//	 64 MiB         4 MiB        3    MiB                    18 ms
//	128 MiB         8 MiB        3    MiB                    18 ms
//	256 MiB        16 MiB        6    MiB                    37 ms
//	512 MiB        32 MiB       12    MiB                    75 ms
//	  1 GiB        64 MiB       24    MiB                   100 ms, by streamWindow
//
// At each step a tunnel takes at most half of what is left, so the first does not take it all.

// windowBudget is what the tunnels of one [Listener] share, or a single dialled one has.
type windowBudget struct {
	mu   sync.Mutex
	left uint64 // bytes
}

// newWindowBudget makes a budget for a program that may have so many bytes of memory.
func newWindowBudget(memory uint64) *windowBudget {
	return &windowBudget{left: max(memory/windowPart, leastWindows)}
}

// windowShare is what one tunnel has taken. It is safe for concurrent use.
type windowShare struct {
	budget *windowBudget
	taken  uint64 // guarded by the budget's mu
	ended  bool   // guarded by the budget's mu
}

func (b *windowBudget) share() *windowShare { return &windowShare{budget: b} }

// allow is quic-go's AllowConnectionWindowIncrease.
func (s *windowShare) allow(_ *quic.Conn, delta uint64) bool {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	if s.ended || delta > s.budget.left/2 {
		return false
	}
	s.taken += delta
	s.budget.left -= delta
	return true
}

// end gives back what was taken. It may be called again.
func (s *windowShare) end() {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	s.budget.left += s.taken
	s.taken, s.ended = 0, true
}

// socketBuffer is the kernel buffer to ask for, each way, in bytes. It has to
// outlast the moments in which the program waits for a processor, and no more:
// all that waits in it makes the round trip longer, and kernel memory is not
// swapped.
func socketBuffer(memory uint64) int {
	return int(min(max(memory/bufferPart, leastBuffer), legBuffer))
}
