package relay

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/lethe-relay/lethe/internal/forgetful"
)

// When a session or a connection has ended, nothing refers to its addresses and
// identities any more, but they stay in the heap until the garbage collector comes,
// which an idle relay may not see for minutes: the runtime's own limit is two. So
// the relay collects by itself, seconds after the end. With clobberfree=1 in
// GODEBUG, which the program sets, the runtime overwrites what is freed.
//
// A router that has registered is the end of a handshake, which has left a certificate
// and keys behind. And a relay that has just started has all of its routers come at once
// and then, maybe, nothing end for long, with all that garbage resident.
//
// The runtime overwrites no free stacks, and leaves pages that are free as they are:
// package forgetful and the kernel see to those.
//
// Twice, since what is in a sync.Pool outlives one collection; and again after a
// pause, since QUIC holds a closed connection for three times its round-trip
// time-out, to answer what is late.
const (
	forgetPause  = 5 * time.Second // between collections, at least
	forgetRounds = 3               // collections after an end, with pauses
	forgetCost   = 0.01            // of all CPU time, at most; a large heap has longer pauses for it
)

// forgetter makes what has ended leave the heap.
type forgetter struct {
	ended chan struct{} // has one entry when something has ended since the last collection
}

func newForgetter() *forgetter { return &forgetter{make(chan struct{}, 1)} }

// over says that something has ended. It never blocks.
func (f *forgetter) over() {
	select {
	case f.ended <- struct{}{}:
	default:
	}
}

// run collects until ctx ends.
func (f *forgetter) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.ended:
		}
		if allStays() {
			continue
		}
		if !f.rounds(ctx) {
			return nil
		}
	}
}

// rounds collects until so many collections have come after the last end; false
// if ctx has ended.
func (f *forgetter) rounds(ctx context.Context) bool {
	for left := forgetRounds; left > 0; left-- {
		pause := time.NewTimer(collect())
		select {
		case <-ctx.Done():
			pause.Stop()
			return false
		case <-pause.C:
		}
		select {
		case <-f.ended:
			left = forgetRounds + 1
		default:
		}
	}
	return true
}

// collect runs the garbage collector and returns how long to wait until it may
// run again.
func collect() (pause time.Duration) {
	before := collectorTime()
	runtime.GC()
	runtime.GC()
	scrubbed := forgetful.Stacks().Seconds()
	debug.FreeOSMemory() // whole pages, which the kernel then takes
	cost := (collectorTime() - before + scrubbed) / float64(runtime.GOMAXPROCS(0))
	return max(forgetPause, time.Duration(cost/forgetCost*float64(time.Second)))
}

// collectorTime is the CPU time that the garbage collector has used, in seconds,
// apart from what nobody else wanted.
func collectorTime() (total float64) {
	sample := []metrics.Sample{
		{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/scavenge/total:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
	}
	metrics.Read(sample)
	return sample[0].Value.Float64() + sample[1].Value.Float64() - sample[2].Value.Float64()
}
