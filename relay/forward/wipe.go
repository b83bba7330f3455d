package forward

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/internal/forgetful"
	"github.com/lethe-relay/lethe/internal/packetmem"
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
// on its way, but not for as long as that may take: a loop that has been asked
// wipeLate times in vain is made to give up. Its write returns with a time-out, what
// was not sent is counted as [DropNoBuffer], and the next read has it wipe.
const (
	wipeInterval = 100 * time.Millisecond

	// A datagram with a broken checksum is copied before the kernel notices, and
	// never counted as read. So each loop also wipes unasked, every so many rounds.
	wipeAnyway = 5

	// wipeLate is how many rounds a loop may take to wipe when asked; then it
	// drops what it has.
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
	if allStays() {
		return
	}
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
	var late uint32
	if w.asked = w.asked && wipes == w.wipes; w.asked {
		late = w.late.Load() + 1
	}
	w.late.Store(late)
	if late >= wipeLate {
		l.conn.SetWriteDeadline(longAgo()) // before the other: see wipeIfAsked
	} else if reads == w.reads && !anyway {
		return
	}
	if !w.asked {
		w.asked, w.wipes = true, wipes
	}
	w.reads = reads
	l.conn.SetReadDeadline(longAgo()) // it fails if the socket is closed: the loop ends and wipes
}

// longAgo is a deadline that is over.
func longAgo() time.Time { return time.Unix(1, 0) }

// wipeIfAsked wipes if err, which a read has returned, means that.
//
// It takes the time-out of reading away first, while ask sets that one last: so a
// time-out of writing that comes too late is followed by one of reading, and taken
// away by the next call.
func (l *loop) wipeIfAsked(err error) bool {
	if !timedOut(err) {
		return false
	}
	l.conn.SetReadDeadline(time.Time{})
	l.conn.SetWriteDeadline(time.Time{})
	l.wipe()
	return true
}

// timedOut tells whether err, of a read or a write, says that its time-out came.
func timedOut(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
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

// Locked returns nil if they are never swapped out, which it tries anew, and otherwise
// a [*packetmem.Lack].
func (b PacketBuffers) Locked() error { return b.plane.memory.Locked() }

// Undumped returns nil if they were left out of core dumps and child processes when
// they were made, and otherwise a [*packetmem.Lack].
func (b PacketBuffers) Undumped() error { return b.plane.memory.Undumped() }

// Wiped returns nil if every socket's buffers have been wiped when they were to
// be, ten times a second while anything comes in. Otherwise one of them
// has bytes in it for longer than half a second, and the error is a [*packetmem.Lack].
func (b PacketBuffers) Wiped() error {
	for i, l := range b.plane.loops {
		if late := l.wiper.late.Load(); late > wipeLate {
			return &packetmem.Lack{
				Cause: fmt.Errorf("the packet buffers of socket %d have not been wiped for %v, since it does not come to it", i, time.Duration(late)*wipeInterval),
				Mend:  "see that the machine has processor time left, and that the network interface is up and not slower than what is sent",
			}
		}
	}
	return nil
}
