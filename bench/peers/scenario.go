package main

import (
	"context"
	"maps"
	"math"
	"os"
	"time"

	"github.com/lethe-relay/lethe/bench/programs"
	"github.com/lethe-relay/lethe/bench/suite"
)

// Figures of a bulk flow, of probes and of idle clients. Those of swarms are made
// by swarmFigure.
const (
	bulkGbit     = "bulk_gbit_per_s"
	bulkCPU      = "bulk_relay_cpu_s_per_gb"
	bulkCores    = "bulk_relay_cores"
	bulkLost     = "bulk_lost_percent"
	bulkOfCoturn = "bulk_vs_coturn"

	delayP50    = "delay_p50_us"
	delayP99    = "delay_p99_us"
	addedP50    = "added_p50_us"
	addedP99    = "added_p99_us"
	addedOfPeer = "added_p50_vs_best_peer"

	idleKB = "idle_kb_per_client"
)

// scenario is the comparison: a line for each relay, a group of columns for each
// kind of work.
func scenario() suite.Scenario {
	s := suite.Scenario{
		Name:  "peers",
		About: "the same work through Lethe and through other relays",
		Columns: []suite.Column{
			{Figure: bulkGbit, Head: "bulk Gbit/s", Decimals: 2, Spread: true},
			{Figure: bulkCPU, Head: "CPU-s/GB", Decimals: 2, Spread: true},
			{Figure: bulkOfCoturn, Head: "× coturn", Decimals: 1},
			{Figure: swarmFigure(few, "per_cpu_s"), Head: "100: datagrams/CPU-s"},
			{Figure: swarmFigure(many, "per_cpu_s"), Head: "1,000: datagrams/CPU-s", Spread: true},
			{Figure: swarmFigure(many, "cpu_us"), Head: "µs/datagram", Decimals: 2},
			{Figure: swarmFigure(many, "vs_coturn"), Head: "× coturn", Decimals: 2},
			{Figure: addedP50, Head: "added p50 µs", Decimals: 1, Spread: true},
			{Figure: addedP99, Head: "p99", Decimals: 1},
			{Figure: idleKB, Head: "KB/idle client", Decimals: 1},
		},
		Bars:   programs.PeerBars(),
		Derive: derive,
	}
	for _, l := range lines() {
		s.Lines = append(s.Lines, suite.Line{Name: l.name, Measure: l.measure, Takes: l.takes})
	}
	return s
}

// takes guesses how long that is: each kind of work is a measurement of its own.
func (l line) takes(o suite.Options) time.Duration {
	return time.Duration(len(l.works())) * o.Usual()
}

// measure does all the work over one relay, each on a stage of its own.
func (l line) measure(ctx context.Context, env suite.Env) (suite.Sample, error) {
	all := suite.Sample{}
	for _, work := range l.works() {
		own := env
		var err error
		if own.Scratch, err = os.MkdirTemp(env.Scratch, "work-"); err != nil {
			return nil, err
		}
		figures, err := work(l, ctx, own)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, figures)
	}
	return all, nil
}

// work is one kind of it, over one relay.
type work func(l line, ctx context.Context, env suite.Env) (suite.Sample, error)

// works are the kinds that the line can do. Without a relay there is only a delay,
// which is what the others' is compared with.
func (l line) works() []work {
	if l.name == noneUDP || l.name == noneTCP {
		return []work{line.delay}
	}
	if l.kind.Stream() {
		return []work{line.bulk, line.delay, line.idle}
	}
	return []work{line.bulk, swarmOf(few), swarmOf(many), line.delay, line.idle}
}

// derive compares the lines of a round.
func derive(round map[string]suite.Sample) {
	coturn := round[coturnClients]
	least := math.Inf(1)
	for _, l := range lines() {
		sample := round[l.name]
		compare(sample, bulkOfCoturn, bulkGbit, coturn)
		compare(sample, swarmFigure(many, "vs_coturn"), swarmFigure(many, "per_cpu_s"), coturn)
		none := round[noneUDP]
		if l.kind.Stream() {
			none = round[noneTCP]
		}
		for _, figure := range []struct{ added, delay string }{{addedP50, delayP50}, {addedP99, delayP99}} {
			if delay, measured := sample[figure.delay]; measured {
				sample[figure.added] = delay - none[figure.delay]
			}
		}
		if added, measured := sample[addedP50]; measured && l.name != lethe && l.name != noneUDP && l.name != noneTCP {
			least = min(least, added)
		}
	}
	if added, measured := round[lethe][addedP50]; measured && least > 0 && !math.IsInf(least, 1) {
		round[lethe][addedOfPeer] = added / least
	}
}

// compare adds a figure as a multiple of coturn's, if both have it.
func compare(sample suite.Sample, ratio, figure string, coturn suite.Sample) {
	value, measured := sample[figure]
	if reference := coturn[figure]; measured && reference > 0 {
		sample[ratio] = value / reference
	}
}
