package suite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Options say how to measure.
type Options struct {
	Interval time.Duration // of each measurement
	Rounds   int
	Profiles string       // a folder for CPU profiles of the last round; empty for none
	Progress func(string) // is told what is being measured
}

// Run measures all lines of the scenario, in rounds. A measurement that fails
// ends the run: a table with holes invites wrong reading.
func Run(ctx context.Context, s Scenario, o Options) (*Result, error) {
	rounds := make(map[string][]Sample)
	for round := range o.Rounds {
		samples := make(map[string]Sample)
		for _, line := range s.Lines {
			o.Progress(fmt.Sprintf("%s: round %d of %d: %s", s.Name, round+1, o.Rounds, line.Name))
			sample, err := measure(ctx, line, o, round == o.Rounds-1)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", s.Name, line.Name, err)
			}
			samples[line.Name] = sample
		}
		if s.Derive != nil {
			s.Derive(samples)
		}
		for name, sample := range samples {
			rounds[name] = append(rounds[name], sample)
		}
	}
	return newResult(s, rounds), nil
}

func measure(ctx context.Context, line Line, o Options, last bool) (Sample, error) {
	scratch, err := os.MkdirTemp("", "lethe-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	env := Env{Interval: o.Interval, Scratch: scratch, Progress: o.Progress}
	if o.Profiles != "" && last {
		env.Profiles = filepath.Join(o.Profiles, strings.NewReplacer(" ", "-", ",", "").Replace(line.Name))
	}
	return line.Measure(ctx, env)
}

// newResult sums the rounds up, in the order of the scenario's lines.
func newResult(s Scenario, rounds map[string][]Sample) *Result {
	r := &Result{Name: s.Name, scenario: s}
	medians := make(map[string]Sample)
	for _, line := range s.Lines {
		median, spread := summarize(rounds[line.Name])
		medians[line.Name] = median
		r.Lines = append(r.Lines, LineResult{Name: line.Name, Median: median, Spread: spread, Rounds: rounds[line.Name]})
	}
	for _, bar := range s.Bars {
		r.Bars = append(r.Bars, bar.judge(medians))
	}
	return r
}
