package forward

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// The forward path, in the order of the functions below:
//
//  1. run      reads what has arrived: messages, each one datagram or a GRO run of them
//  2. route    looks up the leg of each message's source, once per message
//  3. carry    checks what the leg may send, and readdresses the message to the other leg in place
//  4. send     writes all readdressed messages, with GSO, and counts
//
// Between 1 and 2, begin (bounds.go) notes whether the loop keeps up.
//
// A message that is not plainly a leg's QUIC (from an unknown source, or with
// a leg message among its datagrams) is taken apart in sort.go.

// batchMessages is how many messages one system call reads or writes. Each
// holds up to 64 KiB, so a loop's buffers are 1 MiB; bulk traffic fills the
// first few and stays in cache.
const (
	batchMessages = 16
	loopBytes     = batchMessages * udpio.MessageBytes
)

// A read may fail for a reason of the moment, such as a lack of memory. One
// that fails for a second ends the relay: whoever runs it has to know.
const (
	readPause    = 10 * time.Millisecond
	readFailures = 100 // in a row
)

type loop struct {
	// static
	plane  *Plane
	conn   *udpio.Conn
	reader *udpio.Reader
	writer *udpio.Writer

	// owned by run
	memory []byte          // what the buffers of batch are cut from, and nothing else
	batch  []udpio.Message // one set of packet buffers: read into, readdressed, sent from
	single []udpio.Message // one message without a buffer of its own: a part of a batch message that goes out alone
	bounds                 // what a leg may carry, see bounds.go

	// written by run, read by Stats
	drops       dropCounters
	reads       atomic.Uint64
	messages    atomic.Uint64
	datagrams   atomic.Uint64
	bytes       atomic.Uint64
	legMessages atomic.Uint64
	wipes       atomic.Uint64

	wiper loopWiper
}

// newLoop makes a loop whose packet buffers lie in memory, of loopBytes.
func newLoop(p *Plane, conn *udpio.Conn, memory []byte) *loop {
	reader := conn.NewReader(batchMessages)
	reader.BusyPoll(p.cfg.BusyPoll)
	return &loop{
		plane:  p,
		conn:   conn,
		reader: reader,
		writer: conn.NewWriter(batchMessages),
		memory: memory,
		batch:  udpio.BatchIn(memory),
		single: make([]udpio.Message, 1),
		bounds: newBounds(p.cfg.SessionRate),
	}
}

// run carries datagrams until the socket is closed; it returns the error that ended it.
func (l *loop) run() error {
	defer l.wipe()
	failed := 0
	for {
		n, err := l.reader.ReadBatch(l.batch[:l.reach])
		if err != nil {
			if l.wipeIfAsked(err) {
				continue
			}
			if failed++; failed > readFailures || errors.Is(err, net.ErrClosed) {
				return err
			}
			time.Sleep(readPause)
			continue
		}
		failed = 0
		l.reads.Add(1)
		l.messages.Add(uint64(n))
		l.begin(n)
		if err := l.send(l.route(l.batch[:n])); err != nil {
			return err
		}
	}
}

// route moves the messages that go out to the front of the batch, those that
// go the same way together and in order, and returns them.
func (l *loop) route(in []udpio.Message) (out []udpio.Message) {
	kept := 0
	for i := range in {
		m := &in[i]
		leg := l.plane.table.get(&m.Path.Remote)
		if leg == nil || !allQUIC(m) {
			if leg != nil { // its datagrams must not overtake those that came before
				l.send(in[:kept]) // a closed socket shows at the next read
				kept = 0
			}
			l.sort(m, leg)
			continue
		}
		if !l.carry(m, leg) {
			continue
		}
		if i != kept {
			in[i], in[kept] = in[kept], in[i]
		}
		kept++
		gather(in[:kept])
	}
	return in[:kept]
}

// gather moves the last message up to the latest one that goes the same way,
// so that the writer can send both at once: the two directions of a tunnel
// come in by turns. The order of each way stays as it was.
func gather(out []udpio.Message) {
	last := len(out) - 1
	for at := last - 1; at >= 0; at-- {
		if out[at].Path != out[last].Path {
			continue
		}
		for i := last; i > at+1; i-- {
			out[i], out[i-1] = out[i-1], out[i]
		}
		return
	}
}

// allQUIC tells whether every datagram of the message has QUIC's fixed bit.
// The kernel merges what one source sends in a row, so a small leg message can
// end a run of tunnel datagrams.
func allQUIC(m *udpio.Message) bool {
	step := m.SegSize
	if step <= 0 {
		step = m.N
	}
	for at := 0; at < m.N; at += step {
		if !wire.IsQUIC(m.Buf[at:m.N]) {
			return false
		}
	}
	return m.N > 0
}

// carry readdresses the message to the other leg, or counts why it can't.
func (l *loop) carry(m *udpio.Message, leg *Leg) bool {
	n := m.Datagrams()
	path := leg.peer.path.Load()
	if path == nil {
		l.drops.add(DropPeerUnbound, n)
		return false
	}
	if allowed := l.plane.cfg.OneWayBytes; leg.bytes.Load() > allowed && leg.peer.datagrams.Load() == 0 {
		l.drops.add(DropOneWay, n)
		return false
	}
	if l.bounded {
		if n = l.bound(m, leg); n == 0 {
			return false
		}
	}
	if limit := leg.session.limit.Load(); limit != nil && !limit.take(m.N) {
		l.drops.add(DropLimited, n)
		return false
	}
	leg.datagrams.Add(uint64(n))
	leg.bytes.Add(uint64(m.N))
	m.Path = *path
	return true
}

// send writes the messages and counts what was sent and what the kernel refused.
// Having waited for too long is no error: the next read has the loop wipe.
func (l *loop) send(out []udpio.Message) error {
	if len(out) == 0 {
		return nil
	}
	l.leak(out)
	err := l.writer.WriteBatch(out)
	var datagrams, bytes int
	for i := range out {
		m := &out[i]
		sent := m.Datagrams() - m.Unsent
		datagrams += sent
		if m.Unsent > 0 {
			l.drops.add(dropOf(m.Status), m.Unsent)
		}
		if sent > 0 { // the last datagram, which may be shorter, counts as sent
			bytes += m.N - m.Unsent*m.SegSize
		}
	}
	l.datagrams.Add(uint64(datagrams))
	l.bytes.Add(uint64(bytes))
	if timedOut(err) {
		return nil
	}
	return err
}

func dropOf(s udpio.SendStatus) DropReason {
	switch s {
	case udpio.TooBig:
		return DropTooBig
	case udpio.NoBuffer:
		return DropNoBuffer
	case udpio.Unreachable:
		return DropUnreachable
	default:
		return DropSendFailed
	}
}
