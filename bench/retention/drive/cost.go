package drive

import (
	"context"
	"io"
	"time"

	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/retention/canary"
	"github.com/lethe-relay/lethe/bench/suite"
)

// The lines of the cost: the same load on the relay as it is released, locked down,
// and on a build in which nothing is wiped, nobody is woken to wipe, and nothing that
// has ended is collected, without lockdown.
const (
	aloneHeld   = "relay alone, held"
	aloneFree   = "relay alone, free"
	tunnelsHeld = "tunnels, held"
	tunnelsFree = "tunnels, free"

	gbitPerS  = "gbit_per_s"
	cpuPerGB  = "relay_cpu_s_per_gb"
	speedLeft = "speed_vs_free"
	cpuSpent  = "cpu_vs_free"

	// mostCost is what lockdown and wiping may cost, of one.
	mostCost = 0.05

	costWarmUp   = time.Second
	costSessions = 4
)

// Cost is the scenario that measures what lockdown and wiping cost. release is a relay
// as it is, tagged one that can be told to leave all as it is.
func Cost(release, tagged string) suite.Scenario {
	measure := func(held, tunnels bool) func(context.Context, suite.Env) (suite.Sample, error) {
		return func(ctx context.Context, env suite.Env) (suite.Sample, error) {
			l := Launch{Binary: release, Lockdown: "require"}
			if !held {
				l = Launch{Binary: tagged, Lockdown: "off", Env: []string{"LETHE_LEAK=all_stays"}}
			}
			return measureCost(ctx, env, l, tunnels)
		}
	}
	held := []string{aloneHeld, tunnelsHeld}
	return suite.Scenario{
		Name:  "cost",
		About: "what lockdown and wiping cost: held has both, free has neither",
		Lines: []suite.Line{
			{Name: aloneHeld, Measure: measure(true, false)},
			{Name: aloneFree, Measure: measure(false, false)},
			{Name: tunnelsHeld, Measure: measure(true, true)},
			{Name: tunnelsFree, Measure: measure(false, true)},
		},
		Derive: func(round map[string]suite.Sample) {
			for _, pair := range [][2]string{{aloneHeld, aloneFree}, {tunnelsHeld, tunnelsFree}} {
				held, free := round[pair[0]], round[pair[1]]
				held[speedLeft] = held[gbitPerS] / free[gbitPerS]
				held[cpuSpent] = held[cpuPerGB] / free[cpuPerGB]
			}
		},
		Columns: []suite.Column{
			{Figure: gbitPerS, Head: "Gbit/s", Decimals: 2, Spread: true},
			{Figure: cpuPerGB, Head: "relay CPU-s/GB", Decimals: 3, Spread: true},
			{Figure: speedLeft, Head: "speed / free", Decimals: 3, Spread: true},
			{Figure: cpuSpent, Head: "CPU / free", Decimals: 3, Spread: true},
		},
		Bars: []suite.Bar{
			{What: "throughput with lockdown and wiping, as a part of that without", Figure: speedLeft, Lines: held, AtLeast: 1 - mostCost},
			{What: "the relay's CPU-s/GB with them, as a part of that without", Figure: cpuSpent, Lines: held, AtMost: 1 + mostCost},
		},
	}
}

// measureCost measures one relay. It has one processor to itself, and the ends the others.
func measureCost(ctx context.Context, env suite.Env, l Launch, tunnels bool) (suite.Sample, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := Options{Launch: l}
	if err := o.Pin(); err != nil {
		return nil, err
	}
	o.Launch.Dir, o.Launch.Sockets = env.Scratch, 1
	r, err := Start(ctx, o.Launch)
	if err != nil {
		return nil, err
	}
	defer r.Stop()
	for _, out := range []io.Reader{r.Out, r.Err} {
		go io.Copy(io.Discard, out) // until the relay ends
	}
	if err := r.Ready(ctx); err != nil {
		return nil, err
	}
	s := &stage{ctx: ctx, url: r.URL, key: canary.NewKey(), cpus: o.CPUs}
	g, err := s.costLoad(tunnels)
	defer g.leave()
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, costWarmUp); err != nil {
		return nil, err
	}
	before, err := r.read(ctx)
	if err != nil || wait(ctx, env.Interval) != nil {
		return nil, err
	}
	after, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	bytes := float64(after.bytes - before.bytes)
	return suite.Sample{
		gbitPerS: bytes * 8 / 1e9 / after.at.Sub(before.at).Seconds(),
		cpuPerGB: (after.cpu - before.cpu).Seconds() / (bytes / 1e9),
	}, nil
}

// costLoad is sessions without tunnels, or with.
func (s *stage) costLoad(tunnels bool) (*group, error) {
	if tunnels {
		return s.open(Closed, costSessions, true)
	}
	return s.openFull(costSessions)
}

// reading is where a relay's counters stand.
type reading struct {
	at    time.Time
	bytes uint64
	cpu   time.Duration
}

func (r *Relay) read(ctx context.Context) (reading, error) {
	m, err := r.Admin.Metrics(ctx)
	if err != nil {
		return reading{}, err
	}
	cpu, err := proc.CPUTime(r.PID)
	return reading{time.Now(), m.Bytes(), cpu}, err
}
