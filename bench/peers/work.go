package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/bench/peers/ends"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

const (
	bulkRun = 53 // datagrams in one GSO send: 63,812 bytes with TURN's headers, about what the kernel takes

	// Sessions of a swarm.
	few  = 100
	many = 1000

	// Idle clients: the first ones find out what the relay needs once.
	firstClients = 100
	moreClients  = 1000
)

var errNothing = errors.New("nothing arrived in the measured time")

// reading is where the counters stand at one time.
type reading struct {
	moved ends.Moved
	cpu   time.Duration // of the relay
}

// scene is a relay with its ends.
type scene struct {
	stage *stage.Stage
	relay relay
	ends  *proc.Child
	err   error // of reading from the relay's process
}

// set starts the relay, on the last processor, and its ends on the others.
func (l line) set(ctx context.Context, env suite.Env) (*scene, error) {
	s := stage.New(ctx)
	own, others := s.Split()
	r, err := l.start(s, env, own)
	if err != nil {
		s.Stop()
		return nil, err
	}
	r.config.Kind = l.kind
	e := s.Start("ends", ends.Part, others)
	s.Ask(e, ends.Open, r.config, nil)
	return &scene{stage: s, relay: r, ends: e}, nil
}

// read reads the counters.
func (s *scene) read() (r reading) {
	s.stage.Ask(s.ends, ends.Progress, struct{}{}, &r.moved)
	if s.relay.pid != 0 && s.err == nil {
		r.cpu, s.err = proc.CPUTime(s.relay.pid)
	}
	return r
}

// load has the ends send, and measures it.
func (l line) load(ctx context.Context, env suite.Env, w ends.Work) (stage.Span[reading], error) {
	s, err := l.set(ctx, env)
	if err != nil {
		return stage.Span[reading]{}, err
	}
	defer s.stage.Stop()
	s.stage.Ask(s.ends, ends.Load, w, nil)
	span, err := stage.Measure(s.stage, env, s.read)
	return span, errors.Join(err, s.err)
}

// first has relay and ends run before all other programs: how late they are because
// of those is no matter of the relay.
func (s *scene) first() {
	s.stage.RealTime(s.ends)
	if s.relay.pid != 0 && s.stage.Err() == nil {
		s.stage.Preferred(proc.RealTime(s.relay.pid))
	}
}

// bulk is one session that carries as much as it can.
func (l line) bulk(ctx context.Context, env suite.Env) (suite.Sample, error) {
	span, err := l.load(ctx, env, ends.Work{Sessions: 1, Run: bulkRun, Window: l.window.bulk})
	if err != nil {
		return nil, fmt.Errorf("bulk: %w", err)
	}
	c := carriedIn(span)
	if c.bytes == 0 {
		return nil, fmt.Errorf("bulk: %w", errNothing)
	}
	return suite.Sample{
		bulkGbit: span.Rate(c.bytes) * 8 / 1e9, bulkCPU: c.cpu / (c.bytes / 1e9),
		bulkCores: span.Rate(c.cpu), bulkLost: c.lostPercent(),
	}, nil
}

// swarmOf is so many sessions whose datagrams come one by one, each of another
// session than the one before.
func swarmOf(sessions int) work {
	return func(l line, ctx context.Context, env suite.Env) (suite.Sample, error) {
		span, err := l.load(ctx, env, ends.Work{Sessions: sessions, Run: 1, Window: l.window.swarm})
		if err != nil {
			return nil, fmt.Errorf("%d sessions: %w", sessions, err)
		}
		c := carriedIn(span)
		if c.datagrams == 0 || c.cpu == 0 {
			return nil, fmt.Errorf("%d sessions: %w", sessions, errNothing)
		}
		figure := func(name string) string { return swarmFigure(sessions, name) }
		return suite.Sample{
			figure("per_s"): span.Rate(c.datagrams), figure("per_cpu_s"): c.datagrams / c.cpu,
			figure("cpu_us"): c.cpu / c.datagrams * 1e6, figure("relay_cores"): span.Rate(c.cpu), figure("lost_percent"): c.lostPercent(),
		}, nil
	}
}

// swarmFigure names a figure of a swarm.
func swarmFigure(sessions int, name string) string { return fmt.Sprintf("swarm%d_%s", sessions, name) }

// carried is what came in the measured time.
type carried struct {
	bytes, datagrams, lost float64
	cpu                    float64 // seconds of the relay
}

func carriedIn(span stage.Span[reading]) carried {
	before, after := span.Before, span.After
	return carried{
		bytes:     float64(after.moved.Received - before.moved.Received),
		datagrams: float64(after.moved.Datagrams - before.moved.Datagrams),
		lost:      float64(after.moved.Lost) - float64(before.moved.Lost),
		cpu:       (after.cpu - before.cpu).Seconds(),
	}
}

// lostPercent is how much of what was sent was lost. A stream loses nothing.
func (c carried) lostPercent() float64 {
	if c.datagrams == 0 {
		return 0
	}
	return 100 * c.lost / (c.datagrams + c.lost)
}

// delay is how long single datagrams are on their way, or a few bytes of a stream,
// when nothing else is.
func (l line) delay(ctx context.Context, env suite.Env) (suite.Sample, error) {
	s, err := l.set(ctx, env)
	if err != nil {
		return nil, err
	}
	defer s.stage.Stop()
	s.stage.Ask(s.ends, ends.Probe, struct{}{}, nil)
	s.first()
	span, err := stage.Measure(s.stage, env, s.read)
	if err := errors.Join(err, s.err); err != nil {
		return nil, fmt.Errorf("delay: %w", err)
	}
	delays := span.After.moved.Delays[len(span.Before.moved.Delays):]
	if len(delays) == 0 {
		return nil, fmt.Errorf("delay: %w", errNothing)
	}
	slices.Sort(delays)
	at := func(share float64) float64 { return float64(delays[int(share*float64(len(delays)))]) / 1e3 }
	sample := suite.Sample{delayP50: at(0.5), delayP99: at(0.99)}
	s.stage.RealTimeFigure(sample)
	return sample, nil
}

// idle is the memory that clients take who only are there.
func (l line) idle(ctx context.Context, env suite.Env) (suite.Sample, error) {
	s, err := l.set(ctx, env)
	if err != nil {
		return nil, err
	}
	defer s.stage.Stop()
	resident := func() (n int64) {
		if s.err == nil {
			n, s.err = proc.Resident(s.relay.pid)
		}
		return n
	}
	s.stage.Ask(s.ends, ends.Hold, firstClients, nil)
	before := resident()
	s.stage.Ask(s.ends, ends.Hold, moreClients, nil)
	span, err := stage.Measure(s.stage, env, resident)
	if err := errors.Join(err, s.err); err != nil {
		return nil, fmt.Errorf("idle: %w", err)
	}
	return suite.Sample{idleKB: float64(span.After-before) / moreClients / 1e3}, nil
}
