package ends

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/flows"
)

const (
	probePause = time.Millisecond // between one probe and the next: everything has gone to sleep
	probeWait  = 20 * time.Millisecond
)

// probe writes a datagram, or as many bytes of a stream, into the near end now and
// then, and sees how long it takes until all of it has come out of the far end.
type probe struct {
	near    io.Writer
	far     io.Reader
	running sync.WaitGroup
	stop    chan struct{}
	ended   chan struct{} // closed by the sink
	began   time.Time

	mu      sync.Mutex
	delays  []int64 // guarded by mu: nanoseconds
	failure error   // guarded by mu: the first one
}

func newProbe() *probe {
	return &probe{stop: make(chan struct{}), ended: make(chan struct{}), began: time.Now()}
}

func (e *ends) probeStream(ctx context.Context) (flow, error) {
	near, far, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	p := newProbe()
	p.near, p.far = near, far
	e.closer.later(func() { close(p.stop) })
	e.closer.before(p.running.Wait)
	p.start()
	return p, nil
}

func (e *ends) probeDatagrams(ctx context.Context) (flow, error) {
	source, sink, ways, err := e.ways(ctx, 1)
	if err != nil {
		return nil, err
	}
	p := newProbe()
	p.near, p.far = datagramWriter{source, ways[0]}, datagramReader{sink, ways[0], p.stop}
	e.closer.later(func() {
		close(p.stop)
		p.running.Wait()
	})
	p.start()
	return p, nil
}

func (p *probe) start() {
	p.running.Go(p.source)
	p.running.Go(p.sink)
}

// source writes when it is, until it is stopped.
func (p *probe) source() {
	for b := flows.Payload(0); ; {
		binary.BigEndian.PutUint64(b[1:], uint64(time.Since(p.began)))
		if _, err := p.near.Write(b); err != nil {
			p.fail(err)
			return
		}
		select {
		case <-time.After(probePause):
		case <-p.ended:
			return
		case <-p.stop:
			return
		}
	}
}

// sink notes how long ago that was, until the far end is closed.
func (p *probe) sink() {
	defer close(p.ended)
	for b := make([]byte, flows.PayloadSize); ; {
		if _, err := io.ReadFull(p.far, b); err != nil {
			p.fail(err)
			return
		}
		delay := time.Since(p.began) - time.Duration(binary.BigEndian.Uint64(b[1:]))
		p.mu.Lock()
		p.delays = append(p.delays, int64(delay))
		p.mu.Unlock()
	}
}

func (p *probe) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure == nil {
		p.failure = err
	}
}

func (p *probe) moved() (Moved, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Moved{Delays: slices.Clone(p.delays)}, p.failure
}

// datagramWriter sends payloads over one session.
type datagramWriter struct {
	port *flows.Port
	way  flows.Flow
}

// Write sends one payload.
func (w datagramWriter) Write(payload []byte) (int, error) {
	return len(payload), w.port.Send(0, w.way.To, append(w.way.Prefix[:len(w.way.Prefix):len(w.way.Prefix)], payload...))
}

// datagramReader receives them.
type datagramReader struct {
	port *flows.Port
	way  flows.Flow
	stop <-chan struct{}
}

// Read receives one payload, and overlooks what else a relay sends.
func (r datagramReader) Read(payload []byte) (int, error) {
	for buf := make([]byte, r.way.Skip+flows.PayloadSize+1); ; {
		n, _, _, err := r.port.Receive(buf, probeWait)
		switch {
		case err == nil && n == r.way.Skip+flows.PayloadSize:
			return copy(payload, buf[r.way.Skip:n]), nil
		case err != nil && !errors.Is(err, flows.ErrTimeout):
			return 0, err
		}
		select {
		case <-r.stop:
			return 0, net.ErrClosed
		default:
		}
	}
}
