package relay

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The garbage collector comes when the heap is twice what it found in use the last
// time, or 4 MiB. A relay with few peers has 1 MiB in use and needs 150 KiB for each
// handshake: it would collect some thirty times a second, and shrink the stacks of
// goroutines that need them again. So up to a floor it comes less often. A relay that
// holds more than half of the floor is not affected, be it idle or at load.
//
// What is in the heap of what has ended does not stay longer for that: the
// forgetter collects in its own time.
const (
	heapFloor    = 16 << 20 // bytes in the heap before the collector comes
	usualPercent = 100      // the runtime's own growth between collections
	mostPercent  = 400      // makes the runtime's 4 MiB the floor
	percentStep  = 50       // setting the growth stops the world for a moment: not for each percent
	paceInterval = time.Second
)

// keepPace sets how much the heap may grow between collections, by what is in use,
// until ctx ends. If whoever has started the process has set it (GOGC), that holds.
func keepPace(ctx context.Context, inUse func() uint64) error {
	set := usualPercent
	if before := debug.SetGCPercent(set); before != usualPercent {
		debug.SetGCPercent(before)
		<-ctx.Done()
		return nil
	}
	defer debug.SetGCPercent(usualPercent)
	tick := time.NewTicker(paceInterval)
	defer tick.Stop()
	for {
		if now := percentFor(inUse()); now != set {
			debug.SetGCPercent(now)
			set = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// percentFor is the growth in percent, in steps, after which a heap of so many bytes in use
// is at most a step short of the floor, or the usual one. The runtime lets the heap grow by
// as much of stacks and globals, too: with many goroutines it comes later than at the floor.
func percentFor(inUse uint64) int {
	if inUse >= heapFloor {
		return usualPercent
	}
	toFloor := (heapFloor - inUse) * 100 / max(inUse, 1)
	return int(min(max(toFloor/percentStep*percentStep, usualPercent), mostPercent))
}

// heapInUse is what the last collection has found to be in use, in bytes.
func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
