//go:build !race

package forgetful

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The race detector needs more of each stack, so that sizes are others there.

// leaveMark leaves words of mark in frames down to the depth of our code.
//
//go:noinline
func leaveMark(mark uint64, frames int) {
	var frame [40]uint64
	for i := range frame {
		frame[i] = mark
	}
	if frames > 1 {
		leaveMark(mark, frames-1)
	}
	runtime.KeepAlive(&frame)
}

// marks counts the places in the arena that holds all stacks of a small program
// where mark is so many times in a row: one alone may be an argument.
func marks(t *testing.T, mark uint64, words int) (n int) {
	t.Helper()
	const chunk = 1 << 20
	buf, err := unix.Mmap(-1, 0, chunk, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(buf)
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	from, to := arena(t)
	for at := from; at < to; at += chunk {
		got, err := mem.ReadAt(buf[:min(chunk, to-at)], int64(at))
		if err != nil {
			t.Fatal(err)
		}
		for _, first := range []int{0, 4} { // with 32 bits a frame may lie on any four
			row := 0
			for i := first; i+8 <= got; i += 8 {
				if row++; binary.NativeEndian.Uint64(buf[i:]) != mark {
					row = 0
				}
				if row >= words {
					n++
				}
			}
		}
	}
	return n
}

// arena is the mapping that the heap lies in.
func arena(t *testing.T) (from, to uint64) {
	t.Helper()
	onHeap := make([]byte, 1<<16)
	at := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(onHeap))))
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x", &from, &to); err == nil && from <= at && at < to {
			return from, to
		}
	}
	t.Fatal("the heap is in no mapping")
	return 0, 0
}

// parked runs f in a goroutine that lives on until the test ends.
func parked(t *testing.T, f func()) {
	var wg sync.WaitGroup
	done, end := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		f()
		close(done)
		<-end
	})
	<-done
	t.Cleanup(func() { close(end); wg.Wait() })
}

// TestStacksAreOverwritten, of a goroutine that lives on and of one that ends. Without
// Stack and Do the marks stay, or this test would see nothing.
func TestStacksAreOverwritten(t *testing.T) {
	const (
		frames   = 42 // 14 KB
		two      = 2
		identity = 4 // a panic's own frames lie where the marks were, and have holes: no whole identity stays in one
	)
	for i, tt := range []struct {
		name  string
		stays bool
		words int
		leave func(mark uint64)
	}{
		{"living", true, two, func(mark uint64) { parked(t, func() { leaveMark(mark, frames) }) }},
		{"Stack", false, two, func(mark uint64) { parked(t, func() { Stack(); leaveMark(mark, frames); Stack() }) }},
		{"Apart", false, two, func(mark uint64) { parked(t, func() { Apart(func() { leaveMark(mark, frames) }) }) }},
		{"Do", false, two, func(mark uint64) {
			var wg sync.WaitGroup
			wg.Go(func() { Do(func() { leaveMark(mark, frames) }) })
			wg.Wait()
		}},
		{"Do that panics", false, identity, func(mark uint64) {
			var wg sync.WaitGroup
			wg.Go(func() {
				defer func() { recover() }()
				Do(func() { leaveMark(mark, frames); panic("") })
			})
			wg.Wait()
		}},
	} {
		mark := 0x9e3779b97f4a7c15 * uint64(i+1)
		tt.leave(mark)
		if got := marks(t, mark, tt.words); (got > 0) != tt.stays {
			t.Errorf("%s: %d marks are left", tt.name, got)
		}
	}
}

// TestStacks: what ended goroutines have left on stacks of every size outlives the
// garbage collector, however often it comes, but most of it not Stacks.
func TestStacks(t *testing.T) {
	const mark, enough = 0xd1b54a32d192ed03, 10 // rounds: which stacks a goroutine gets is the runtime's affair
	var wg sync.WaitGroup
	for range 300 {
		for _, frames := range []int{1, 5, 12, 30} { // 2, 4, 8 and 16 KB
			wg.Go(func() { leaveMark(mark, frames) })
		}
	}
	wg.Wait()
	for range 3 {
		debug.FreeOSMemory() // collects
	}
	before := marks(t, mark, 2)
	if before == 0 {
		t.Fatal("no mark outlives the garbage collector: the test shows nothing")
	}
	for round := 1; round <= enough; round++ {
		work := Stacks()
		debug.FreeOSMemory()
		left := marks(t, mark, 2)
		t.Logf("round %d, which took %v, leaves %d of %d marks", round, work, left, before)
		if left <= before/10 {
			return
		}
	}
	t.Errorf("that is too much after %d rounds", enough)
}

// TestSmallerStackIsOverwritten: a stack that is too small for all that Stack overwrites
// is clean when the runtime takes a larger one in its place.
func TestSmallerStackIsOverwritten(t *testing.T) {
	const mark = 0x94d049bb133111eb
	for range 100 {
		parked(t, func() { leaveMark(mark, 3); Stack() }) // new goroutines have 2 KB, or what the average is
	}
	if got := marks(t, mark, 2); got > 0 {
		t.Errorf("%d marks are left", got)
	}
}

// BenchmarkStacks is what it costs a relay with nothing to do.
func BenchmarkStacks(b *testing.B) {
	for b.Loop() {
		Stacks()
	}
}
