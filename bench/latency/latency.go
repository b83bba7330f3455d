package latency

import (
	"context"
	"time"

	"github.com/lethe-relay/lethe/bench/flows"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// The lines.
const (
	idle         = "idle"
	busyIdle     = "idle, busy polling"
	half         = "50 % load"
	most         = "90 % load"
	greedy       = "greedy"
	greedyTunnel = "greedy tunnel"
)

// The figures besides those of quantiles.
const (
	vsIdle   = "p99_vs_idle"
	loadPart = "load_percent" // of what the relay carries
)

const (
	quiet = 10  // sessions of the prober
	many  = 100 // sessions of a load

	alwaysBusy = 50 * time.Millisecond // longer than any pause between two probes

	maxAtHalf     = 3 // × idle
	maxWithGreedy = 2 // × idle
)

// Scenario returns the scenario.
func Scenario() suite.Scenario {
	return suite.Scenario{
		Name:  "latency",
		About: "how late a quiet session's datagram is because of the relay, in µs, one way",
		Lines: []suite.Line{
			{Name: idle, Measure: measure(func(*scene) {})},
			{Name: busyIdle, Measure: measureBusy},
			{Name: half, Measure: measure(func(s *scene) { s.load(0.5) }), Takes: loaded},
			{Name: most, Measure: measure(func(s *scene) { s.load(0.9) }), Takes: loaded},
			{Name: greedy, Measure: measure((*scene).greedy)},
			{Name: greedyTunnel, Measure: measure((*scene).tunnel)},
		},
		Derive: func(round map[string]suite.Sample) {
			alone := round[idle][added(p99)]
			for _, sample := range round {
				if alone > 0 && sample[added(p99)] > 0 {
					sample[vsIdle] = sample[added(p99)] / alone
				}
			}
		},
		Columns: []suite.Column{
			{Figure: added(p50), Head: "added p50", Decimals: 1},
			{Figure: added(p99), Head: "p99", Decimals: 1, Spread: true},
			{Figure: added(p999), Head: "p99.9", Decimals: 1},
			{Figure: vsIdle, Head: "p99 × idle", Decimals: 2, Spread: true},
			{Figure: through(p50), Head: "through p50", Decimals: 1},
			{Figure: through(p99), Head: "p99", Decimals: 1},
			{Figure: direct(p50), Head: "direct p50", Decimals: 1},
			{Figure: direct(p99), Head: "p99", Decimals: 1},
			{Figure: late, Head: "lost %", Decimals: 2},
			{Figure: loadPart, Head: "load %"},
			{Figure: "relay_cores", Head: "relay cores", Decimals: 2},
		},
		Bars: []suite.Bar{
			{What: "p99 at 50 % load as a multiple of idle", Figure: vsIdle, Lines: []string{half}, AtMost: maxAtHalf},
			{What: "p99 beside a greedy session as a multiple of idle", Figure: vsIdle, Lines: []string{greedy, greedyTunnel}, AtMost: maxWithGreedy},
		},
	}
}

// scene is a stage with a relay, a prober, and what else a line has.
type scene struct {
	*stage.Stage
	env    suite.Env
	url    string
	relay  *proc.Child
	others []int // processors

	ends     *proc.Child // of the load; nil if there is none that counts
	capacity float64     // datagrams/s
}

func measure(beside func(*scene)) func(context.Context, suite.Env) (suite.Sample, error) {
	return func(ctx context.Context, env suite.Env) (suite.Sample, error) {
		s := newScene(ctx, env, 0)
		defer s.Stop()
		s.RealTime(s.relay)
		return s.measure(beside)
	}
}

// measureBusy has a relay that never waits. It is not in real time, where a thread
// that never waits is halted for a twentieth of each second.
func measureBusy(ctx context.Context, env suite.Env) (suite.Sample, error) {
	s := newScene(ctx, env, alwaysBusy)
	defer s.Stop()
	return s.measure(func(*scene) {})
}

func newScene(ctx context.Context, env suite.Env, busyPoll time.Duration) *scene {
	s := &scene{Stage: stage.New(ctx), env: env}
	s.BusyPoll = busyPoll
	var own []int
	own, s.others = s.Split()
	s.relay, s.url = s.StartRelay(env, own)
	return s
}

func (s *scene) measure(beside func(*scene)) (suite.Sample, error) {
	prober := s.Start("prober", part.ProberPart, s.others)
	s.RealTime(prober)
	s.Ask(prober, part.Open, s.crowd(quiet), nil)
	beside(s)
	s.Ask(prober, part.Flow, struct{}{}, nil)
	span, err := stage.Measure(s.Stage, s.env, func() (c counted) {
		s.Ask(prober, part.Progress, struct{}{}, &c.probed)
		if s.ends != nil {
			s.Ask(s.ends, part.Progress, struct{}{}, &c.load)
		}
		return c
	})
	if err != nil {
		return nil, err
	}
	sample, err := figures(span, s.capacity)
	if err == nil {
		s.Preferred(span.After.probed.Rank == flows.RankRealTime.String(), nil)
		s.RealTimeFigure(sample)
	}
	return sample, err
}

func (s *scene) crowd(sessions int) part.CrowdConfig {
	return part.CrowdConfig{Relay: s.url, Pairs: s.Pairs(1), Sessions: sessions}
}

// loaded guesses how long a line with a load takes: what the relay carries is measured
// first, for half as long.
func loaded(o suite.Options) time.Duration {
	o.Interval /= 2
	calibrating := o.Usual()
	o.Interval *= 2
	return calibrating + o.Usual()
}

// load has sessions send a part of what the relay carries of them.
func (s *scene) load(share float64) {
	s.ends = s.Start("ends", part.SwarmPart, s.others)
	s.Ask(s.ends, part.Open, s.crowd(many), nil)
	s.Ask(s.ends, part.Flow, part.SwarmFlow{}, nil)
	env := suite.Env{Interval: s.env.Interval / 2}
	full, err := stage.Measure(s.Stage, env, func() (c flows.Count) {
		s.Ask(s.ends, part.Progress, struct{}{}, &c)
		return c
	})
	if err != nil {
		return // the stage knows it too
	}
	s.capacity = float64(full.After.Received-full.Before.Received) / full.CPU["relay"].Seconds()
	s.RealTime(s.ends) // else what else the machine does takes some of the rate
	s.Ask(s.ends, part.Flow, part.SwarmFlow{PerSecond: share * s.capacity}, nil)
}

// greedy has one session send as much as its processor can make.
func (s *scene) greedy() {
	ends := s.Start("ends", part.SwarmPart, s.others)
	s.Ask(ends, part.Open, s.crowd(1), nil)
	s.Ask(ends, part.Flow, part.SwarmFlow{Greedy: true}, nil)
}

// tunnel has one tunnel download.
func (s *scene) tunnel() {
	router, device := s.Start("sender", part.RouterPart, s.others), s.Start("receiver", part.DevicePart, s.others)
	host := s.NewRouter()
	guest := s.NewDevice(host, nil)
	s.Ask(router, part.Open, part.RouterConfig{Relay: s.url, Identity: host.PEM}, nil)
	s.Ask(device, part.Open, part.DeviceConfig{Relay: s.url, Identity: guest.PEM, Router: host.ID, Grant: guest.Grant}, nil)
	s.Ask(device, part.Flow, part.Down, nil)
}
