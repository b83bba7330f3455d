package drive

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

const (
	keepEvery    = 15 * time.Second // a BIND; a leg without one for a minute loses its address
	sinkMessages = 4                // in one system call

	// paceEvery and paceDatagrams make 240 KB/s: the sessions that are closed are
	// many, and the full load is another's part.
	paceEvery     = 100 * time.Millisecond
	paceDatagrams = 20
)

// bareEnd is one end of a session without a tunnel. Both ends send, in runs, and
// check what they get.
type bareEnd struct {
	leg *bare.Leg
	*part
	arrived chan struct{} // gets a token when something was received; nil: nobody waits for it
	seen    atomic.Uint64 // datagrams that came, and those that were lost before them

	// owned by the sender
	next   uint64 // number of the next datagram
	writer *udpio.Writer
	out    []udpio.Message

	done      chan struct{}
	once      sync.Once
	sending   sync.WaitGroup
	receiving sync.WaitGroup
}

// newBareEnd makes an end whose first datagram has this number, and receives from
// then on. The leg is its own.
func newBareEnd(leg *bare.Leg, p *part, number uint64, arrived chan struct{}) *bareEnd {
	e := &bareEnd{leg: leg, part: p, next: number, arrived: arrived, done: make(chan struct{})}
	e.receiving.Go(e.receive)
	return e
}

// prepare makes so many runs of so many datagrams, one system call.
func (e *bareEnd) prepare(runs, datagrams int) {
	e.writer, e.out = e.leg.Conn.NewWriter(runs), make([]udpio.Message, runs)
	filling := uint16(0)
	for i := range e.out {
		buf := make([]byte, datagrams*datagramSize)
		e.out[i] = udpio.Message{Buf: buf, N: len(buf), SegSize: datagramSize, Path: e.leg.Path()}
		for datagram := range e.out[i].Segments() {
			writeDatagram(e.planter, datagram, e.next, filling)
			filling++
		}
	}
}

// send numbers and sends what prepare has made.
func (e *bareEnd) send() error {
	for i := range e.out {
		for datagram := range e.out[i].Segments() {
			numberDatagram(datagram, e.next)
			e.next++
		}
		e.counts.planted.Add(uint64(e.out[i].Datagrams() * datagramBlocks))
	}
	return e.writer.WriteBatch(e.out)
}

// pace sends a run now and then, until the end is closed.
func (e *bareEnd) pace() {
	e.prepare(1, paceDatagrams)
	tick, keep := time.NewTicker(paceEvery), time.NewTicker(keepEvery)
	defer tick.Stop()
	defer keep.Stop()
	for {
		var err error
		select {
		case <-e.done:
			return
		case <-keep.C:
			err = e.leg.Keep()
		case <-tick.C:
			if !e.quiet.Load() {
				err = e.send()
			}
		}
		if isClosed(err) {
			return
		}
	}
}

// receive checks and counts until the socket is closed, or something is wrong.
func (e *bareEnd) receive() {
	reader, in := e.leg.Conn.NewReader(sinkMessages), udpio.NewBatch(sinkMessages)
	check := newInspector(e.part)
	for {
		n, err := reader.ReadBatch(in)
		if isClosed(err) {
			return
		}
		for i := range in[:n] {
			if err := e.take(check, &in[i]); err != nil {
				e.counts.fail(err)
				return
			}
		}
		if e.arrived != nil {
			select {
			case e.arrived <- struct{}{}:
			default:
			}
		}
	}
}

// take checks all datagrams of a message but the relay's answers to Keep.
func (e *bareEnd) take(check *inspector, m *udpio.Message) error {
	before := check.lost
	got := uint64(0)
	for datagram := range m.Segments() {
		if m, err := wire.ParseLegMessage(datagram); err == nil && m.Leg == e.leg.ID {
			continue
		}
		if err := check.inspect(datagram); err != nil {
			return err
		}
		got++
	}
	e.counts.checked.Add(got * datagramSize)
	e.counts.lost.Add(check.lost - before)
	e.seen.Add(got + check.lost - before)
	return nil
}

// close ends what the end does, the session at the relay if unbind says so, and
// the socket.
func (e *bareEnd) close(unbind bool) {
	e.once.Do(func() {
		close(e.done)
		e.sending.Wait()
		if unbind {
			e.leg.Unbind()
		}
		e.leg.Close()
		e.receiving.Wait()
	})
}

// named tells what the relay knows the end by.
func (e *bareEnd) named() Named {
	id := binary.NativeEndian.AppendUint64(nil, uint64(e.leg.ID)) // as it lies in memory
	return Named{Secrets: [][]byte{id, e.leg.Secret[:]}}
}
