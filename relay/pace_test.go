package relay

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPercentFor(t *testing.T) {
	const mib = 1 << 20
	for inUse, want := range map[uint64]int{
		0: 400, 1: 400, mib: 400, 3 * mib: 400, 4 * mib: 300, 5 * mib: 200, 6 * mib: 150, 7 * mib: 100, 8 * mib: 100, 8*mib + 1: 100, 16 * mib: 100, 1 << 40: 100,
	} {
		if got := percentFor(inUse); got != want {
			t.Errorf("%d bytes in use: %d %%, want %d", inUse, got, want)
		}
	}
}

// TestKeepPace: while the relay runs, a small heap may grow by more, until it is no
// small one any more; afterwards all is as it was.
func TestKeepPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inUse atomic.Uint64
		stop := startPace(t, usualPercent, inUse.Load)
		for _, now := range []uint64{0, heapFloor / 4, heapFloor, heapFloor / 4} {
			inUse.Store(now)
			time.Sleep(paceInterval)
			synctest.Wait()
			if got, want := gcPercent(), percentFor(now); got != want {
				t.Errorf("%d bytes in use: %d %%, want %d", now, got, want)
			}
		}
		stop()
		if got := gcPercent(); got != usualPercent {
			t.Errorf("it ends with %d %%", got)
		}
	})
}

// TestKeepPaceOfOthers: what GOGC says holds, while the relay runs and afterwards.
func TestKeepPaceOfOthers(t *testing.T) {
	for _, set := range []int{50, 200, -1} {
		synctest.Test(t, func(t *testing.T) {
			stop := startPace(t, set, func() uint64 { return 1 })
			time.Sleep(2 * paceInterval)
			synctest.Wait()
			if got := gcPercent(); got != set {
				t.Errorf("set to %d %%: it becomes %d", set, got)
			}
			stop()
			if got := gcPercent(); got != set {
				t.Errorf("set to %d %%: it ends with %d", set, got)
			}
		})
	}
}

// startPace runs keepPace in a process that was started with so many percent.
func startPace(t *testing.T, percent int, inUse func() uint64) (stop func()) {
	t.Helper()
	before := debug.SetGCPercent(percent)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- keepPace(ctx, inUse) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestHeapInUse: it is what a collection has found.
func TestHeapInUse(t *testing.T) {
	held := make([]byte, heapFloor)
	runtime.GC()
	if got := heapInUse(); got < heapFloor || got > 64*heapFloor {
		t.Errorf("%d bytes, with %d held", got, len(held))
	}
	runtime.KeepAlive(held)
}

func gcPercent() int {
	now := debug.SetGCPercent(usualPercent)
	debug.SetGCPercent(now)
	return now
}
