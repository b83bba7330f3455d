package part

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/lethe-relay/lethe/bench/flows"
	"github.com/lethe-relay/lethe/bench/proc"
)

// probeEvery is the mean time between two datagrams of a prober. Half of them go
// through the relay: so they are few beside any load, and in three seconds enough
// for one in a thousand to mean something.
const probeEvery = 250 * time.Microsecond

// Probed is the answer to Progress of a prober: how long each datagram took, one
// way, whose fate has been known since the last Progress.
type Probed struct {
	Through []time.Duration // the relay
	Direct  []time.Duration // from the same socket to the same other, without it
	Rank    string          // of the prober's thread
}

// prober sends over some sessions now and then.
type prober struct {
	crowd *crowd // nil before Open
	probe *flows.Probe
}

func newProber() proc.Part {
	runtime.GOMAXPROCS(threads)
	debug.SetGCPercent(-1) // it lives for seconds, and a collection would show
	p := &prober{}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(p.open), Flow: proc.Handle(p.flow), Progress: proc.Handle(p.progress)},
		Close: func() {
			if p.probe != nil {
				p.probe.Close()
			}
			if p.crowd != nil {
				p.crowd.close()
			}
		},
	}
}

func (p *prober) open(ctx context.Context, c CrowdConfig) (_ any, err error) {
	p.crowd, err = newCrowd(ctx, c)
	return nil, err
}

func (p *prober) flow(context.Context, struct{}) (_ any, err error) {
	through := p.crowd.through()
	direct := make([]flows.Flow, len(through))
	for i := range direct {
		direct[i].To = p.crowd.router.Addr(i)
	}
	if p.probe, err = flows.NewProbe(p.crowd.device, p.crowd.router, probeEvery, through, direct); err != nil {
		return nil, err
	}
	p.probe.Start()
	return nil, nil
}

func (p *prober) progress(context.Context, struct{}) (any, error) {
	took, err := p.probe.Take()
	return Probed{Through: took[0], Direct: took[1], Rank: p.probe.Rank().String()}, err
}
