package part

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/internal/udpio"
)

const (
	datagramSize = 1200 // bytes: the least that QUIC needs (RFC 9000, section 14)
	runDatagrams = 53   // in one GSO send: 63,600 bytes, about what the kernel takes
	sourceRuns   = 4    // in one system call
	sinkMessages = 16   // in one system call

	windowBytes   = 4 << 20               // under way at once: fits into the relay's buffer, so that nothing needs to be lost
	sourceTimeout = 20 * time.Millisecond // without a word from the sink: what is under way counts as lost
)

// DatagramsConfig is what the part is opened with.
type DatagramsConfig struct {
	Relay          string // URL with token
	Router, Device []byte // PEM
	Grant          []byte
	Sessions       int // that share the relay, this one too: what is under way at once is divided by it
}

// datagrams sends from a session's device leg to its router leg as fast as the
// relay carries. A window between the two keeps the source from sending what
// no buffer holds: what is measured is the relay, not the kernel's dropping.
type datagrams struct {
	pattern pattern
	session *bareSession
	window  uint64 // datagrams under way at once
	running sync.WaitGroup
	done    chan struct{}

	// written by the sink
	seen     atomic.Uint64 // highest number that came, and one
	received atomic.Uint64 // datagrams
	lost     atomic.Uint64 // datagrams below seen that did not come
	wrong    atomic.Bool
	arrived  chan struct{}
}

func newDatagrams() proc.Part {
	d := &datagrams{pattern: newPattern(), session: &bareSession{}, done: make(chan struct{}), arrived: make(chan struct{}, 1)}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(d.open), Flow: proc.Handle(d.flow), Progress: proc.Handle(d.progress)},
		Close: func() {
			close(d.done)
			d.session.close()
			d.running.Wait()
		},
	}
}

func (d *datagrams) open(ctx context.Context, c DatagramsConfig) (any, error) {
	url, err := auth.ParseRelayURL(c.Relay)
	if err != nil {
		return nil, err
	}
	router, err := auth.ParseIdentity(c.Router)
	if err != nil {
		return nil, err
	}
	device, err := auth.ParseIdentity(c.Device)
	if err != nil {
		return nil, err
	}
	if d.session, err = openBare(ctx, url, router, device, c.Grant); err != nil {
		return nil, err
	}
	_, granted := d.session.device.Conn.Granted()
	d.window = uint64(min(windowBytes/max(c.Sessions, 1), granted/2) / datagramSize)
	return nil, nil
}

// flow begins with a datagram in the other direction: until then the relay
// takes little from a leg.
func (d *datagrams) flow(context.Context, string) (any, error) {
	hello := []udpio.Message{d.message(make([]byte, datagramSize))}
	d.pattern.number(hello[0].Buf, 0)
	if err := d.session.router.Conn.NewWriter(1).WriteBatch(hello); err != nil {
		return nil, err
	}
	d.running.Go(d.sink)
	d.running.Go(d.source)
	return nil, nil
}

// message is a run of datagrams to the relay.
func (d *datagrams) message(buf []byte) udpio.Message {
	return udpio.Message{Buf: buf, N: len(buf), SegSize: datagramSize, Path: d.session.device.Path()}
}

// source sends until the part ends.
func (d *datagrams) source() {
	writer := d.session.device.Conn.NewWriter(sourceRuns)
	out := make([]udpio.Message, sourceRuns)
	for i := range out {
		out[i] = d.message(d.pattern.datagrams(runDatagrams))
	}
	timeout := time.NewTimer(sourceTimeout)
	defer timeout.Stop()
	for sent, lost := uint64(0), uint64(0); ; {
		for sent-max(d.seen.Load(), lost) > d.window {
			timeout.Reset(sourceTimeout)
			select {
			case <-d.arrived:
			case <-timeout.C:
				lost = sent
			case <-d.done:
				return
			}
		}
		for i := range out {
			for datagram := range out[i].Segments() {
				d.pattern.number(datagram, sent)
				sent++
			}
		}
		if err := writer.WriteBatch(out); err != nil {
			return
		}
	}
}

// sink reads, checks and counts until its socket is closed.
func (d *datagrams) sink() {
	reader, in := d.session.router.Conn.NewReader(sinkMessages), udpio.NewBatch(sinkMessages)
	for {
		n, err := reader.ReadBatch(in)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		for i := range in[:n] {
			if !d.take(&in[i]) {
				d.wrong.Store(true)
				return
			}
		}
		select {
		case d.arrived <- struct{}{}:
		default:
		}
	}
}

// take checks a message: the number and size of each datagram, and all bytes
// of the first.
func (d *datagrams) take(m *udpio.Message) bool {
	first := true
	for datagram := range m.Segments() {
		number, ok := d.pattern.check(datagram, first)
		seen := d.seen.Load()
		if !ok || number < seen {
			return false // loopback does not turn the order round, nor does the relay
		}
		d.lost.Add(number - seen)
		d.seen.Store(number + 1)
		d.received.Add(1)
		first = false
	}
	return true
}

func (d *datagrams) progress(context.Context, struct{}) (any, error) {
	if d.wrong.Load() {
		return nil, fmt.Errorf("%w, after %d datagrams", errContent, d.received.Load())
	}
	return Moved{Received: d.received.Load() * datagramSize, Lost: d.lost.Load()}, nil
}
