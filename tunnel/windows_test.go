package tunnel

import (
	"testing"

	"github.com/quic-go/quic-go"
)

// grown lets a tunnel's window double, as quic-go does, for as long as it is let.
func grown(s *windowShare) (window uint64) {
	window = 768 << 10
	for window < connWindow && s.allow(nil, min(window, connWindow-window)) {
		window = min(2*window, connWindow)
	}
	return window
}

// TestWindows: the table in windows.go.
func TestWindows(t *testing.T) {
	for memory, want := range map[uint64]uint64{64: 3, 128: 3, 256: 6, 512: 12, 1024: 24, 8192: 24} {
		if got := grown(newWindowBudget(memory << 20).share()); got != want<<20 {
			t.Errorf("%d MiB of memory: %d KiB of window, want %d MiB", memory, got>>10, want)
		}
	}
}

// TestWindowsAreShared: all tunnels together stay within the budget, the first
// do not take it all, and what one has had comes back with its end.
func TestWindowsAreShared(t *testing.T) {
	const tunnels, begin = 64, 768 << 10
	budget := newWindowBudget(512 << 20)
	all := budget.left
	var shares []*windowShare
	var taken uint64
	for i := range tunnels {
		s := budget.share()
		window := grown(s)
		if shares = append(shares, s); i < 4 && window == begin {
			t.Errorf("nothing for tunnel %d", i)
		}
		taken += window - begin
	}
	if taken > all || budget.left != all-taken {
		t.Errorf("%d taken of %d, %d left", taken, all, budget.left)
	}
	for _, s := range shares {
		s.end()
		s.end()
		if s.allow(nil, 1) {
			t.Error("a tunnel that has ended takes more")
		}
	}
	if budget.left != all {
		t.Errorf("%d of %d came back", budget.left, all)
	}
}

func TestSocketBuffer(t *testing.T) {
	for memory, want := range map[uint64]int{32: 512, 128: 512, 256: 1024, 1024: 4096, 8192: 4096} {
		if got := socketBuffer(memory << 20); got != want<<10 {
			t.Errorf("%d MiB of memory: %d KiB, want %d", memory, got>>10, want)
		}
	}
}

// TestFarWindow: what a window is for. quic-go tells the sender of more room when a
// quarter is read, so three quarters are sure to be under way.
func TestFarWindow(t *testing.T) {
	const gigabitAt100ms = 1e9 / 8 / 10
	if streamWindow*3/4 < gigabitAt100ms || connWindow < streamWindow*3/2 {
		t.Errorf("%d and %d do not fill 1 Gbit/s at 100 ms", streamWindow, connWindow)
	}
	if got := grown(newWindowBudget(unknownMemory).share()); got < connWindow {
		t.Errorf("where nobody tells the memory a tunnel gets %d", got)
	}
}

// TestWindowsComeBack: the end of a session gives back what its tunnel has taken.
func TestWindowsComeBack(t *testing.T) {
	budget := newWindowBudget(512 << 20)
	all := budget.left
	l := newBoundLeg(t, newFakeRelay(t, "127.0.0.1:0"))
	s := &session{leg: l, transport: &quic.Transport{Conn: packetConn(l)}, window: budget.share()}
	if !s.window.allow(nil, 1<<20) || budget.left != all-1<<20 {
		t.Fatalf("%d of %d left", budget.left, all)
	}
	s.close("")
	if budget.left != all {
		t.Errorf("%d of %d left", budget.left, all)
	}
}
