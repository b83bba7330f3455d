package tunnel

import (
	"sync/atomic"
	"time"
)

// feed keeps a leg from handing over more than quic-go can queue. A connection
// queues 256 packets and drops what is more; a leg reads up to 184 at once, so two
// reads while the connection's goroutine waits for a processor would lose some
// of what the relay has carried, and over a long way the sender takes seconds
// to recover from that. The kernel's buffer is the better place to wait: it has
// room for thousands.
//
//	socket ──▶ leg ── given ──▶ quic-go's queue ── consumed ──▶ connection
//
// What quic-go has consumed it tells in its statistics, in bytes. Which datagrams these
// were, the leg knows from where each ended in all that was given.
type feed struct {
	consumed atomic.Pointer[func() uint64] // bytes; nil until there is a connection

	// owned by the reader
	given uint64                // bytes
	ends  [feedDatagrams]uint64 // of the last datagrams, in bytes of given
	next  int                   // whose place the next one takes: the oldest
}

// gave notes a datagram of so many bytes.
func (f *feed) gave(n int) {
	f.given += uint64(n)
	f.ends[f.next] = f.given
	f.next = (f.next + 1) % feedDatagrams
}

// wait returns when there is room in the queue for some more. A datagram that
// quic-go has thrown away is never consumed, and would be waited for; so when
// nothing moves for feedPatience, all that was given counts as consumed.
func (f *feed) wait() {
	consumed := f.consumed.Load()
	if consumed == nil {
		return
	}
	now := (*consumed)()
	f.given = max(f.given, now)
	if f.ends[f.next] <= now {
		return
	}
	for moved := time.Now(); f.ends[f.next] > now; {
		if time.Since(moved) >= feedPatience {
			f.given = now
			clear(f.ends[:])
			return
		}
		time.Sleep(feedPause)
		if latest := (*consumed)(); latest != now {
			now, moved = latest, time.Now()
		}
	}
	f.given = max(f.given, now)
}
