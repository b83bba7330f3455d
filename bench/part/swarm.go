package part

import (
	"context"
	"runtime"

	"github.com/lethe-relay/lethe/bench/flows"
	"github.com/lethe-relay/lethe/bench/proc"
)

// SwarmFlow is what a swarm's Flow is asked for. The zero value is as much as the
// relay carries.
type SwarmFlow struct {
	PerSecond float64 // datagrams, of all sessions together
	Greedy    bool    // GSO runs without a window, whatever is lost
}

const (
	swarmWindow = 1024 // datagrams under way: 2.4 MB of the relay's receive buffer
	greedyRun   = 53   // datagrams: 63,600 bytes, about what the kernel takes
)

// swarm sends over sessions that take turns. A Flow ends the one before.
type swarm struct {
	crowd *crowd // nil before Open
	load  *flows.Load
}

// threads is the GOMAXPROCS of parts that have a thread which does not tell Go's
// scheduler when it waits. There is something left for what else they do.
const threads = 4

func newSwarm() proc.Part {
	runtime.GOMAXPROCS(threads)
	s := &swarm{}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(s.open), Flow: proc.Handle(s.flow), Progress: proc.Handle(s.progress)},
		Close: func() {
			s.end()
			if s.crowd != nil {
				s.crowd.close()
			}
		},
	}
}

func (s *swarm) open(ctx context.Context, c CrowdConfig) (_ any, err error) {
	s.crowd, err = newCrowd(ctx, c)
	return nil, err
}

func (s *swarm) end() {
	if s.load != nil {
		s.load.Close()
	}
}

func (s *swarm) flow(_ context.Context, f SwarmFlow) (_ any, err error) {
	s.end()
	cfg := flows.LoadConfig{Flows: s.crowd.through(), PerSecond: f.PerSecond, Window: swarmWindow}
	if f.Greedy {
		cfg.Run, cfg.Window = greedyRun, 0
	}
	if s.load, err = flows.NewLoad(s.crowd.device, s.crowd.router, cfg); err != nil {
		return nil, err
	}
	s.load.Start()
	return nil, nil
}

func (s *swarm) progress(context.Context, struct{}) (any, error) { return s.load.Count() }
