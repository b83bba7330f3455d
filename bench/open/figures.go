package open

import (
	"errors"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// The figures.
const (
	perS        = "opens_per_s"
	perCore     = "opens_per_relay_core_s"
	perOpen     = "_cpu_ms_per_open"
	busy        = "relay_cores"
	vsGrantOnly = "vs_grant_only"
	median      = "open_p50_ms"
	slow        = "open_p99_ms"
)

var errNothing = errors.New("nothing was opened in the measured time")

// figures makes a sample of the opens that ended in the measured time.
func figures(span stage.Span[part.Opened]) (suite.Sample, error) {
	took := slices.Sorted(slices.Values(span.After.Took))
	if len(took) == 0 {
		return nil, errNothing
	}
	opens := float64(len(took))
	s := suite.Sample{perS: span.Rate(opens), median: percentile(took, 50), slow: percentile(took, 99)}
	span.CPUFigures(s, perOpen, opens, 1000)
	if cpu := span.CPU["relay"].Seconds(); cpu > 0 { // /proc counts in hundredths of a second
		s[perCore] = opens / cpu
	}
	return s, nil
}

// percentile is the least of the sorted times that p of 100 are not above, in
// milliseconds.
func percentile(sorted []time.Duration, p int) float64 {
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1].Seconds() * 1000
}
