package ends

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/flows"
)

// probePause is between one probe and the next, on the average: everything has
// gone to sleep.
const probePause = time.Millisecond

// datagramProbe is a Probe of bench/flows, of one session. A delay ends when the
// kernel has the datagram for the far end.
type datagramProbe struct {
	probe *flows.Probe
	taken []int64
}

func (e *ends) probeDatagrams(ctx context.Context) (flow, error) {
	source, sink, ways, err := e.ways(ctx, 1)
	if err != nil {
		return nil, err
	}
	p, err := flows.NewProbe(source, sink, probePause, ways)
	if err != nil {
		return nil, err
	}
	p.Start()
	e.closer.later(p.Close)
	return &datagramProbe{probe: p}, nil
}

func (p *datagramProbe) moved() (Moved, error) {
	took, err := p.probe.Take()
	for _, delay := range took[0] {
		p.taken = append(p.taken, int64(delay))
	}
	return Moved{Delays: p.taken}, err
}

// streamProbe writes as many bytes as a datagram has into the near end now and then,
// and sees how long it takes until all of them have been read from the far end.
type streamProbe struct {
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

func (e *ends) probeStream(ctx context.Context) (flow, error) {
	near, far, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	p := &streamProbe{near: near, far: far, stop: make(chan struct{}), ended: make(chan struct{}), began: time.Now()}
	e.closer.later(func() { close(p.stop) })
	e.closer.before(p.running.Wait)
	p.running.Go(p.source)
	p.running.Go(p.sink)
	return p, nil
}

// source writes when it is, until it is stopped.
func (p *streamProbe) source() {
	for b := flows.Payload(0); ; {
		binary.BigEndian.PutUint64(b[1:], uint64(time.Since(p.began)))
		if _, err := p.near.Write(b); err != nil {
			p.fail(err)
			return
		}
		select {
		case <-time.After(probePause/2 + rand.N(probePause)): // never the same, lest it keeps step with something else
		case <-p.ended:
			return
		case <-p.stop:
			return
		}
	}
}

// sink notes how long ago that was, until the far end is closed.
func (p *streamProbe) sink() {
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

func (p *streamProbe) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure == nil {
		p.failure = err
	}
}

func (p *streamProbe) moved() (Moved, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Moved{Delays: slices.Clone(p.delays)}, p.failure
}
