package swarm

import (
	"context"
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/bench/flows"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// The figures.
const (
	perS        = "datagrams_per_s"
	perDatagram = "_cpu_us_per_datagram"
	perCore     = "datagrams_per_s_per_core"
	vsFewest    = "vs_fewest"
	perRead     = "messages_per_read"
	lost        = "lost_percent"
)

// openers is how many routers, with a device each, open the sessions.
const openers = 8

const minOfFewest = 0.85

// opening is how long it takes to open a session, as a guess.
const opening = 600 * time.Microsecond

// Sessions are the numbers of sessions of the lines, the fewest first.
func Sessions() []int { return []int{10, 100, 1_000, 10_000} }

// Line is the name of the line with so many sessions.
func Line(sessions int) string { return fmt.Sprintf("%d sessions", sessions) }

// Scenario returns the scenario.
func Scenario() suite.Scenario {
	s := suite.Scenario{
		Name:   "swarm",
		About:  "many sessions whose datagrams come one by one",
		Derive: derive,
		Charts: charts(),
		Columns: []suite.Column{
			{Figure: perS, Head: "datagrams/s"},
			{Figure: "relay" + perDatagram, Head: "relay CPU-µs/datagram", Decimals: 2, Spread: true},
			{Figure: perCore, Head: "datagrams/s per core"},
			{Figure: vsFewest, Head: "× 10 sessions", Decimals: 2, Spread: true},
			{Figure: perRead, Head: "messages/read", Decimals: 1},
			{Figure: "relay_cores", Head: "relay cores", Decimals: 2},
			{Figure: lost, Head: "lost %", Decimals: 3},
		},
	}
	for _, n := range Sessions() {
		s.Lines = append(s.Lines, suite.Line{Name: Line(n), Measure: measure(n), Takes: suite.After(time.Duration(n) * opening)})
	}
	most := s.Lines[len(s.Lines)-1].Name
	s.Bars = []suite.Bar{
		{What: "datagrams/s per core with 10,000 sessions as a part of that with 10", Figure: vsFewest, Lines: []string{most}, AtLeast: minOfFewest},
	}
	return s
}

// derive compares with the line of the fewest sessions.
func derive(round map[string]suite.Sample) {
	fewest := round[Line(Sessions()[0])][perCore]
	for _, sample := range round {
		sample[vsFewest] = sample[perCore] / fewest
	}
}

// counted is where the counters stand.
type counted struct {
	swarm flows.Count
	relay part.Carried
}

func measure(sessions int) func(context.Context, suite.Env) (suite.Sample, error) {
	return func(ctx context.Context, env suite.Env) (suite.Sample, error) {
		s := stage.New(ctx)
		defer s.Stop()
		own, others := s.Split()
		relay, url := s.StartRelay(env, own)
		ends := s.Start("ends", part.SwarmPart, others)
		s.Ask(ends, part.Open, part.CrowdConfig{Relay: url, Pairs: s.Pairs(min(openers, sessions)), Sessions: sessions}, nil)
		s.Ask(ends, part.Flow, part.SwarmFlow{}, nil)
		span, err := stage.Measure(s, env, func() (c counted) {
			var moved part.Moved
			s.Ask(ends, part.Progress, struct{}{}, &c.swarm)
			s.Ask(relay, part.Progress, struct{}{}, &moved)
			c.relay = moved.Relay
			return c
		})
		if err != nil {
			return nil, err
		}
		sample, err := figures(span)
		if err == nil {
			sample[sessionsFigure] = float64(sessions)
		}
		return sample, err
	}
}
