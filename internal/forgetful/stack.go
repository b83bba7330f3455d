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
	mostStacks = 32 << 20 // bytes of stacks that are taken at once
	meetWithin = 2 * time.Millisecond
	keptReady  = 64 // ended goroutines that the runtime keeps for each processor, with their stacks
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

// Stacks overwrites the stacks of goroutines that have ended. Call it after a garbage
// collection, which sets them free; it takes milliseconds.
//
// The runtime has no way to overwrite free stacks, but whoever starts goroutines gets
// them. So many are started, all alive at once, that they must have taken nearly
// every free stack of a size, and each overwrites its own. Larger stacks are freed as heap
// memory is.
func Stacks() {
	inUse := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(inUse) // free ones included
	bytes := min(int(inUse[0].Value.Uint64()), mostStacks)
	least := 2 * keptReady * runtime.GOMAXPROCS(0)
	overwrite := []func(){overwrite2K, overwrite4K, overwrite8K, overwrite16K}
	for size := smallStack; size <= largeStack; size *= 2 {
		takeStacks(max(bytes/size, least), overwrite[0])
		overwrite = overwrite[1:]
	}
}

// takeStacks runs f in n goroutines that are alive at the same time. Each processor
// starts its share of them, since each has ended goroutines of its own: to that end
// the starters are seen to run at the same moment.
func takeStacks(n int, f func()) {
	var begun, ended sync.WaitGroup
	var starters atomic.Int32
	processors := runtime.GOMAXPROCS(0)
	share := n/processors + 1
	begun.Add(share * processors)
	taker := func() {
		f()
		begun.Done()
		begun.Wait()
	}
	for range processors {
		ended.Go(func() {
			starters.Add(1)
			for late := time.Now().Add(meetWithin); int(starters.Load()) < processors && time.Now().Before(late); {
			}
			for range share {
				ended.Go(taker)
			}
		})
	}
	ended.Wait()
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
