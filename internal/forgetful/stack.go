package forgetful

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// What a goroutine had on its stack stays there after it has returned from what it
// did, and after it has ended: neither the garbage collector nor clobberfree touches
// what is free of a stack, and it may be long until it is used again.

const (
	smallStack = 2 << 10  // bytes; the size that a goroutine begins with
	largeStack = 16 << 10 // bytes; the largest that the runtime keeps for reuse
	mostStacks = 32 << 20 // bytes of stacks of one size that are held at once
	keptReady  = 64       // ended goroutines that the runtime keeps for each processor, with their stacks

	meetWithin = 200 * time.Microsecond
	stepPause  = time.Millisecond
)

// Stack overwrites what the calling goroutine has left below its stack pointer, as
// far down as our code usually gets: 15 KB. A goroutine that lives on calls it before it
// waits, another one before it ends. It costs a few hundred nanoseconds.
func Stack() { overwrite16K() }

// Do calls f and overwrites what it has left on the stack, also if it panics. The
// stack is made large enough before: when it grows later, the runtime leaves
// the smaller one as it is. It is for goroutines that do one thing and end.
func Do(f func()) {
	Stack()
	defer Stack()
	f()
}

// Apart is [Do] in a goroutine of its own, which it waits for. It is for goroutines
// that live on with a small stack.
func Apart(f func()) {
	done := make(chan struct{})
	go Do(func() {
		defer close(done)
		f()
	})
	<-done
}

// Stacks overwrites the stacks of goroutines that have ended, and returns the CPU time
// that it took. Call it after a garbage collection, which sets them free. It takes
// longer than that, since it goes in small steps with pauses, so that nobody who has
// something to do waits for long.
//
// The runtime has no way to overwrite free stacks, but whoever starts goroutines gets
// them. So many are started, all alive at once, that they must have taken nearly
// every free stack of a size, and each overwrites its own. What it does not reach: a
// stack whose pages the runtime has meanwhile given to the heap, and not used there
// yet. Larger stacks are freed as heap memory is.
func Stacks() (work time.Duration) {
	all := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(all)
	free := int(all[0].Value.Uint64()) - runtime.NumGoroutine()*smallStack // at most: many have a larger one
	free = max(0, min(free, mostStacks))
	overwrite := []func(){overwrite2K, overwrite4K, overwrite8K, overwrite16K}
	for size := smallStack; size <= largeStack; size *= 2 {
		work += takeStacks(free/size, overwrite[0])
		overwrite = overwrite[1:]
	}
	return work
}

// taking is what the starters of one takeStacks share.
type taking struct {
	do      func()
	met     atomic.Int32   // starters that run
	filled  sync.WaitGroup // starters that have taken their share
	ended   sync.WaitGroup // goroutines
	working atomic.Int64   // nanoseconds of all starters
}

// takeStacks runs f in at least n goroutines that are alive at the same time. Each
// processor starts its share of them, since each has ended goroutines of its own: to
// that end the starters are seen to run at the same moment.
func takeStacks(n int, f func()) (work time.Duration) {
	processors := runtime.GOMAXPROCS(0)
	t := &taking{do: f}
	t.filled.Add(processors)
	for range processors {
		t.ended.Go(func() {
			began := time.Now()
			t.met.Add(1)
			for int(t.met.Load()) < processors && time.Since(began) < meetWithin {
			}
			t.working.Add(int64(time.Since(began)))
			t.hold(n/processors + 1)
		})
	}
	t.ended.Wait()
	return time.Duration(t.working.Load())
}

// hold takes n stacks, a step at a time, and lets go of them when every starter has
// its own.
func (t *taking) hold(n int) {
	var steps []chan struct{}
	for ; n > 0; n -= keptReady {
		if len(steps) > 0 {
			time.Sleep(stepPause)
		}
		steps = append(steps, t.step())
	}
	t.filled.Done()
	t.filled.Wait()
	for i, release := range steps {
		if i > 0 {
			time.Sleep(stepPause)
		}
		close(release)
	}
}

// step takes as many stacks as a processor may have ready. They are held until
// release is closed.
func (t *taking) step() (release chan struct{}) {
	began := time.Now()
	release = make(chan struct{})
	var done sync.WaitGroup
	done.Add(keptReady)
	taker := func() {
		t.do()
		done.Done()
		<-release
	}
	for range keptReady {
		t.ended.Go(taker)
	}
	done.Wait()
	t.working.Add(int64(time.Since(began)))
	return release
}

// Each of these has a frame that fits into a stack of one size, less what the
// runtime keeps free at its end, and into none that is smaller.

//go:noinline
func overwrite2K() {
	var frame [448]byte
	overwrite(frame[:])
}

//go:noinline
func overwrite4K() {
	var frame [2300]byte
	overwrite(frame[:])
}

//go:noinline
func overwrite8K() {
	var frame [6300]byte
	overwrite(frame[:])
}

//go:noinline
func overwrite16K() {
	var frame [14400]byte
	overwrite(frame[:])
}

//go:noinline
func overwrite(frame []byte) { clear(frame) }
