package suite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/bench/yardstick"
)

// The figures that every line has: what the machine needed for work whose amount
// never changes, right before the line was measured, in microseconds of CPU time.
const (
	YardCrypto   = "yard_crypto_us"
	YardDatagram = "yard_datagram_us"
)

// RealTime is a figure of lines whose processes were to run before all other
// programs: 1 if they did, 0 if the system did not permit it, which a note says.
const RealTime = "real_time"

// Options say how to measure.
type Options struct {
	Interval time.Duration // of each measurement
	Rounds   int
	Short    bool      // leave out what is marked as long
	Full     bool      // the whole of what has a quick form: the audit
	Profiles string    // a folder for CPU profiles of the last round; empty for none
	Progress *Progress // is told what is being measured; nil: nobody is
}

// Run measures all lines of the scenario, in rounds. A measurement that fails
// ends the scenario: a table with holes invites wrong reading. The result has the
// rounds before that and says what failed, which Run returns, too. What can't be
// measured here ([Skip]) is left out, and the result says so.
func Run(ctx context.Context, s Scenario, o Options) (*Result, error) {
	if o.Short && s.Long {
		return leftOut(s, notShort), nil
	}
	if s.Elsewhere != nil {
		return runElsewhere(ctx, s, o)
	}
	o.Rounds = s.rounds(o)
	r := run{s: s, o: o, rounds: make(map[string][]Sample), skipped: make(map[string]string)}
	for _, line := range s.Lines {
		if o.Short && line.Long {
			r.skipped[line.Name] = notShort
		}
	}
	for round := range o.Rounds {
		if err := r.round(ctx, round); err != nil {
			o.Progress.leave(s.Name)
			return r.result(err), err
		}
	}
	return r.result(nil), nil
}

// rounds is how often the scenario is measured.
func (s Scenario) rounds(o Options) int {
	if s.MostRounds > 0 {
		return min(o.Rounds, s.MostRounds)
	}
	return o.Rounds
}

// run is a scenario that is under way.
type run struct {
	s       Scenario
	o       Options
	rounds  map[string][]Sample // by line
	skipped map[string]string   // why, by line
}

func (r *run) round(ctx context.Context, round int) error {
	samples := make(map[string]Sample)
	for _, line := range r.s.Lines {
		if r.skipped[line.Name] != "" {
			continue
		}
		r.o.Progress.begin(r.s.Name, line.Name, round, r.o.Rounds)
		sample, err := r.measure(ctx, line, round == r.o.Rounds-1)
		r.o.Progress.end()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if why, ok := skipped(err); ok {
			r.skipped[line.Name] = why
			r.o.Progress.drop(r.s.Name, line.Name)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", r.s.Name, line.Name, err)
		}
		samples[line.Name] = sample
	}
	r.derive(samples)
	for name, sample := range samples {
		r.rounds[name] = append(r.rounds[name], sample)
	}
	return nil
}

// derive adds the figures that need several lines. What comes of lines that
// were skipped is no figure, and JSON has none that is not finite.
func (r *run) derive(samples map[string]Sample) {
	if r.s.Derive == nil {
		return
	}
	for line := range r.skipped {
		samples[line] = Sample{}
	}
	r.s.Derive(samples)
	for line := range r.skipped {
		delete(samples, line)
	}
	for _, sample := range samples {
		maps.DeleteFunc(sample, func(_ string, v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	}
}

func (r *run) measure(ctx context.Context, line Line, last bool) (sample Sample, err error) {
	scratch, err := os.MkdirTemp("", "lethe-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	env := Env{Interval: r.o.Interval, Scratch: scratch, Progress: r.o.Progress}
	if r.o.Profiles != "" && last {
		env.Profiles = filepath.Join(r.o.Profiles, strings.NewReplacer(" ", "-", ",", "").Replace(r.s.Name+" "+line.Name))
	}
	yard, err := yardstick.Measure()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	sample, err = line.Measure(ctx, env)
	if sample != nil && yard.Crypto > 0 {
		sample[YardCrypto], sample[YardDatagram] = yard.Crypto.Seconds()*1e6, yard.Datagram.Seconds()*1e6
	}
	return sample, err
}

// result sums the rounds up, in the order of the scenario's lines. failed is what
// has ended them, or nil.
func (r *run) result(failed error) *Result {
	result := &Result{}
	if failed != nil {
		result.Failed = failed.Error()
	}
	for _, line := range r.s.Lines {
		result.AddLine(line.Name, r.rounds[line.Name])
		result.Lines[len(result.Lines)-1].Skipped = r.skipped[line.Name]
	}
	result.describe(r.s)
	return result
}

func runElsewhere(ctx context.Context, s Scenario, o Options) (*Result, error) {
	o.Progress.begin(s.Name, "", 0, 1)
	defer o.Progress.end()
	r, err := s.Elsewhere.Measure(ctx, o)
	if why, ok := skipped(err); ok && ctx.Err() == nil {
		return leftOut(s, why), nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	} else if err != nil {
		err = fmt.Errorf("%s: %w", s.Name, err)
	}
	if r == nil {
		r = new(Result)
	}
	if err != nil {
		r.Failed = err.Error()
	} else if r.Failed != "" {
		err = errors.New(r.Failed)
	}
	r.describe(s)
	return r, err
}

// leftOut is the result of a scenario of which nothing was measured.
func leftOut(s Scenario, why string) *Result {
	r := &Result{Skipped: why}
	r.describe(s)
	return r
}
