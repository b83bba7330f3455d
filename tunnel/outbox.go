package tunnel

import (
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// outbox joins what quic-go hands over in pieces. quic-go makes runs of at most
// 20 KiB; the kernel takes, carries and delivers one of three times that for
// little more than the price of one, and so does the relay.
//
//	run, full        ── copied, held ──┐
//	run, full        ── copied, held ──┼──▶ one send of up to 64 KiB
//	whatever is next ── as it is ──────┘
//
// Only a full run is held: quic-go ended it for want of room, not of data, and
// is making the next one while we copy. A lone datagram, an acknowledgement and
// the end of a burst never wait, and take along what has waited. So nothing is
// held but at a rate at which the next run is microseconds away, and no burst
// gets longer than quic-go's pacing has made it. In the rare case that nothing
// follows, because the congestion window ended with the run, a timer sends what
// is held; it runs once per holdTime at most.
//
// All is guarded by the leg's writeMu.
type outbox struct {
	out    []udpio.Message // those held, and one that goes with them
	held   int
	memory []byte // of those held; made when it is first needed

	timer *time.Timer
	armed bool // the timer is running
}

// newOutbox makes an outbox that calls flush when something has been held for
// too long. The caller stops its timer.
func newOutbox(flush func()) outbox {
	o := outbox{out: make([]udpio.Message, heldRuns+1), timer: time.AfterFunc(time.Hour, flush)}
	o.timer.Stop()
	return o
}

// hold takes a copy of m if m can wait for more to come.
func (o *outbox) hold(m udpio.Message) bool {
	if o.held == heldRuns || m.SegSize == 0 || m.N > runBytes || m.N+m.SegSize <= runBytes || m.N%m.SegSize != 0 {
		return false
	}
	if o.memory == nil {
		o.memory = make([]byte, heldRuns*runBytes)
	}
	at := o.held * runBytes
	m.Buf = o.memory[at : at+copy(o.memory[at:], m.Buf[:m.N])]
	o.out[o.held] = m
	o.held++
	if !o.armed {
		o.armed = true
		o.timer.Reset(holdTime)
	}
	return true
}

// with returns what is held, and m behind it.
func (o *outbox) with(m udpio.Message) []udpio.Message {
	o.out[o.held] = m
	return o.out[:o.held+1]
}

// sent forgets what was held, and what went with it.
func (o *outbox) sent() {
	clear(o.out[:o.held+1])
	o.held = 0
}
