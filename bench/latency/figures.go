package latency

import (
	"errors"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/bench/flows"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// quantile is one that is reported, in thousandths.
type quantile int

const (
	p50  quantile = 500
	p99  quantile = 990
	p999 quantile = 999
)

var names = map[quantile]string{p50: "p50_us", p99: "p99_us", p999: "p999_us"}

// Names of figures. Added is what is later through the relay than without it.
func added(q quantile) string   { return "added_" + names[q] }
func through(q quantile) string { return "through_" + names[q] }
func direct(q quantile) string  { return "direct_" + names[q] }

// late is the part of the datagrams through the relay that came too late or never.
const late = "lost_percent"

var errNothing = errors.New("nothing came in the measured time")

// counted is what was counted up to a reading: of the prober since the one before.
type counted struct {
	probed part.Probed
	load   flows.Count
}

// figures makes a sample of what was measured. capacity is what the relay carries
// in datagrams per second; 0: it was not measured.
func figures(span stage.Span[counted], capacity float64) (suite.Sample, error) {
	probed := span.After.probed
	through_, direct_ := slices.Sorted(slices.Values(probed.Through)), slices.Sorted(slices.Values(probed.Direct))
	if len(through_) == 0 || len(direct_) == 0 {
		return nil, errNothing
	}
	s := suite.Sample{"probes": float64(len(through_)), late: lostPercent(through_)}
	for _, q := range []quantile{p50, p99, p999} {
		s[through(q)], s[direct(q)] = q.of(through_), q.of(direct_)
		s[added(q)] = s[through(q)] - s[direct(q)]
	}
	if before, after := span.Before.load, span.After.load; capacity > 0 {
		s[perS] = float64(after.Received-before.Received) / after.At.Sub(before.At).Seconds() // a busy source answers late
		s[loadPart] = 100 * s[perS] / capacity
	}
	for role, cpu := range span.CPU {
		s[role+"_cores"] = span.Rate(cpu.Seconds())
	}
	return s, nil
}

// perS is what the load has got through the relay.
const perS = "datagrams_per_s"

// of is the least of the sorted times that so many of them are not above, in
// microseconds.
func (q quantile) of(sorted []time.Duration) float64 {
	rank := (len(sorted)*int(q) + 999) / 1000
	return float64(sorted[max(rank, 1)-1]) / float64(time.Microsecond)
}

func lostPercent(sorted []time.Duration) float64 {
	first, _ := slices.BinarySearch(sorted, flows.Late)
	return 100 * float64(len(sorted)-first) / float64(len(sorted))
}
