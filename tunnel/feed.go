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
// What quic-go has consumed it tells in its statistics, in bytes.
type feed struct {
	consumed atomic.Pointer[func() uint64] // nil until there is a connection

	given uint64 // bytes; owned by the reader
}

// wait returns when there is room in the queue for some more. A datagram that
// quic-go has thrown away is never consumed, and would be waited for; so when
// nothing moves for feedPatience, all that was given counts as consumed.
func (f *feed) wait() {
	consumed := f.consumed.Load()
	if consumed == nil {
		return
	}
	now, stuck := (*consumed)(), time.Duration(0)
	f.given = max(f.given, now)
	for f.given-now > feedBytes {
		if stuck >= feedPatience {
			f.given = now
			return
		}
		time.Sleep(feedPause)
		before := now
		now = (*consumed)()
		f.given = max(f.given, now)
		if stuck += feedPause; now != before {
			stuck = 0
		}
	}
}
