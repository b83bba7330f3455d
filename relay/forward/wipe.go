package forward

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/internal/forgetful"
	"github.com/lethe-relay/lethe/internal/udpio"
)

// How bytes leave the packet buffers:
//
//  1. keepWiping   looks at each loop ten times a second; has it read anything since its last wipe?
//  2. ask          makes the loop's read return with a time-out, whether it waits or is busy
//  3. wipeIfAsked  takes the time-out away, and
//  4. wipe         zeroes every buffer, in the loop's own goroutine, between two batches
//
// So a byte is wiped within wipeInterval after it has been sent on, whether its
// session lives or ends, and whether the socket falls idle or is kept busy by
// others. Wiping by the loop alone means that nothing is wiped that has not been
// sent, without a lock; asking by a time-out means that the path of datagrams
// has no instruction more than without wiping.
//
// What a loop holds while it waits for room in the kernel's send buffer is still
// on its way. That it takes too long is told by [PacketBuffers.Wiped].
const (
	wipeInterval = 100 * time.Millisecond

	// A datagram with a broken checksum is copied before the kernel notices, and
	// never counted as read. So each loop also wipes unasked, every so many rounds.
	wipeAnyway = 5

	// wipeLate is how many rounds a loop may take to wipe when asked.
	wipeLate = 5
)

// loopWiper is what keepWiping knows about a loop.
type loopWiper struct {
	// owned by keepWiping
	reads uint64 // that the loop had made when it was last asked to wipe
	wipes uint64 // that it had made then
	asked bool   // and has not wiped since

	// written by keepWiping, read by PacketBuffers
	late atomic.Uint32 // rounds that the loop has been asked for in vain
}

// keepWiping has the loops wipe their buffers until ctx ends.
func (p *Plane) keepWiping(ctx context.Context) {
	tick := time.NewTicker(wipeInterval)
	defer tick.Stop()
	for round := 1; ; round++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, l := range p.loops {
			l.ask(round%wipeAnyway == 0)
		}
	}
}

// ask asks the loop to wipe if it has read something, or anyway.
//
// The counter is read before the time-out is set, and the loop takes the
// time-out away before it wipes: whatever was counted here is wiped, even if a
// time-out gets lost that was set between the two.
func (l *loop) ask(anyway bool) {
	reads, wipes := l.reads.Load(), l.wipes.Load()
	w := &l.wiper
	if w.asked && wipes == w.wipes {
		w.late.Add(1)
	} else {
		w.asked = false
		w.late.Store(0)
	}
	if reads == w.reads && !anyway {
		return
	}
	if !w.asked {
		w.asked, w.wipes = true, wipes
	}
	w.reads = reads
	l.conn.SetReadDeadline(time.Unix(1, 0)) // it fails if the socket is closed: the loop ends and wipes
}

// wipeIfAsked wipes if err, which a read has returned, means that.
func (l *loop) wipeIfAsked(err error) bool {
	if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
		return false
	}
	l.conn.SetReadDeadline(time.Time{})
	l.wipe()
	return true
}

// wipe takes everything about datagrams out of the loop's memory: all buffers
// whole, since the kernel may have written to any of them, and the addresses.
func (l *loop) wipe() {
	if !l.keepsBytes() {
		clear(l.memory)
		udpio.Forget(l.batch)
		clear(l.single)
		l.reader.Wipe()
		l.writer.Wipe()
	}
	forgetful.Stack() // what ended a session had its ends' names there
	l.wipes.Add(1)
}

// PacketBuffers tells how the memory of the packet buffers is kept. Its methods
// may be called at any time, also after [Plane.Close].
type PacketBuffers struct{ plane *Plane }

// PacketBuffers returns the plane's.
func (p *Plane) PacketBuffers() PacketBuffers { return PacketBuffers{p} }

// Bytes is how large they are together.
func (b PacketBuffers) Bytes() int { return b.plane.memory.Bytes() }

// Locked returns nil if they are never swapped out, and otherwise why they may be
// and what to do about it.
func (b PacketBuffers) Locked() error { return b.plane.memory.Locked() }

// Undumped returns nil if they are in no core dump and in no child process, and
// otherwise why they may be and what to do about it.
func (b PacketBuffers) Undumped() error { return b.plane.memory.Undumped() }

// Wiped returns nil if every socket's buffers have been wiped when they were to
// be, ten times a second while anything comes in. Otherwise one of them
// has bytes in it for longer than half a second, and the error says what to do.
func (b PacketBuffers) Wiped() error {
	for i, l := range b.plane.loops {
		if late := l.wiper.late.Load(); late > wipeLate {
			return fmt.Errorf("the packet buffers of socket %d have not been wiped for %v, since it waits for the network interface to take what is in them: see that the interface is up and not slower than what is sent", i, time.Duration(late)*wipeInterval)
		}
	}
	return nil
}
