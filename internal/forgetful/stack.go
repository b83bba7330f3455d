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

	depth    = 15 << 10                      // bytes; as far down as our code usually gets
	step     = step32 + 16*int(^uint(0)>>63) // bytes of stack that a call of descend takes; a test holds it
	step32   = 88                            // where pointers have 32 bits
	unusable = 1200                          // bytes of a small stack: what the runtime keeps free at its end, and the frames above takeStacks' function

	meetWithin = 200 * time.Microsecond
	stepPause  = time.Millisecond
)

// Stack overwrites what the calling goroutine has left below its stack pointer, as
// far down as our code usually gets: 15 KB. A goroutine that lives on calls it before it
// waits, another one before it ends. It costs some hundred nanoseconds.
//
// It goes down in small steps. Were it to ask for so much at once, and the stack
// smaller, then the runtime would take another stack and leave this one as it is, for
// the next goroutine whose stack is made or moved, which may never go down so far.
func Stack() { descend(depth / step) }

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
	for size := smallStack; size <= largeStack; size *= 2 {
		work += takeStacks(free/size, size)
	}
	return work
}

// taking is what the starters of one takeStacks share.
type taking struct {
	steps   int            // of descend
	met     atomic.Int32   // starters that run
	filled  sync.WaitGroup // starters that have taken their share
	ended   sync.WaitGroup // goroutines
	working atomic.Int64   // nanoseconds of all starters
}

// takeStacks overwrites at least n stacks of a size, which as many goroutines have at
// the same time. Each processor starts its share of them, since each has ended goroutines of its own: to
// that end the starters are seen to run at the same moment.
func takeStacks(n, size int) (work time.Duration) {
	processors := runtime.GOMAXPROCS(0)
	t := &taking{steps: (size - unusable) / step}
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
		steps = append(steps, t.take())
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

// take takes as many stacks as a processor may have ready. They are held until
// release is closed.
func (t *taking) take() (release chan struct{}) {
	began := time.Now()
	release = make(chan struct{})
	var done sync.WaitGroup
	done.Add(keptReady)
	taker := func() {
		descend(t.steps)
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

// descend overwrites so many steps of the stack, from here downwards. Its frame has
// hardly anything but what it overwrites, and is as small as a frame must be for the
// runtime to let it reach to the stack's end.
//
//go:noinline
func descend(steps int) {
	var frame [80]byte
	keep(&frame)
	if steps > 1 {
		descend(steps - 1)
	}
}

//go:noinline
func keep(*[80]byte) {}
