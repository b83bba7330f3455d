package latency

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/flows"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

func us(n int) time.Duration { return time.Duration(n) * time.Microsecond }

// ramp is 1000 times from so many microseconds down, one apart.
func ramp(from int) (times []time.Duration) {
	for i := range 1000 {
		times = append(times, us(from-i))
	}
	return times
}

func TestFigures(t *testing.T) {
	began := time.Now()
	span := stage.Span[counted]{
		Elapsed: 2 * time.Second, CPU: map[string]time.Duration{"relay": time.Second},
		Before: counted{load: flows.Count{At: began, Received: 1000}, probed: part.Probed{Through: ramp(9000)}}, // while it warmed up
		After: counted{
			load:   flows.Count{At: began.Add(4 * time.Second), Received: 201_000},
			probed: part.Probed{Through: ramp(1500), Direct: ramp(1002)},
		},
	}
	got, err := figures(span, 200_000)
	if err != nil {
		t.Fatal(err)
	}
	for figure, want := range map[string]float64{
		through(p50): 1000, through(p99): 1490, through(p999): 1499, direct(p50): 502, direct(p99): 992,
		added(p50): 498, added(p99): 498, added(p999): 498,
		"probes": 1000, late: 0, perS: 50_000, loadPart: 25, "relay_cores": 0.5,
	} {
		if math.Abs(got[figure]-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", figure, got[figure], want)
		}
	}
	span.After.probed.Through[7] = flows.Late
	if got, _ = figures(span, 0); got[late] != 0.1 {
		t.Errorf("one of 1000 lost: %v", got[late])
	}
	if _, measured := got[loadPart]; measured {
		t.Error("a load is told that was not measured")
	}
	span.After.probed.Direct = nil
	if _, err := figures(span, 0); !errors.Is(err, errNothing) {
		t.Errorf("nothing came directly: %v", err)
	}
}

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		of   []time.Duration
		q    quantile
		want float64
	}{
		{[]time.Duration{us(7)}, p50, 7}, {[]time.Duration{us(7)}, p999, 7},
		{[]time.Duration{us(1), us(2)}, p50, 1}, {[]time.Duration{us(1), us(2)}, p99, 2},
		{[]time.Duration{us(1), us(2), us(3)}, p50, 2}, {[]time.Duration{1500}, p50, 1.5},
	} {
		if got := c.q.of(c.of); got != c.want {
			t.Errorf("%d of 1000 of %v: %v, want %v", c.q, c.of, got, c.want)
		}
	}
}

// TestDerive: a line is compared with idle by what the relay adds.
func TestDerive(t *testing.T) {
	round := map[string]suite.Sample{idle: {added(p99): 50, through(p99): 90}, greedy: {added(p99): 75, through(p99): 200}}
	Scenario().Derive(round)
	if round[idle][vsIdle] != 1 || round[greedy][vsIdle] != 1.5 {
		t.Errorf("%v", round)
	}
	for _, p99s := range [][2]float64{{-1, 75}, {0, 75}, {50, -1}, {50, 0}, {-1, -2}} {
		round := map[string]suite.Sample{idle: {added(p99): p99s[0]}, greedy: {added(p99): p99s[1]}}
		Scenario().Derive(round)
		if ratio, told := round[greedy][vsIdle]; told {
			t.Errorf("added %v when idle and %v beside a greedy session: %v times as much", p99s[0], p99s[1], ratio)
		}
	}
}
