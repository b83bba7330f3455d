package guard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lethe-relay/lethe/bench/suite"
)

// Values are by name.
type Values map[string]float64

// Name is the name of the value.
func (w Watch) Name() string {
	name := fmt.Sprintf("%s: %s: %s", w.Scenario, w.Line, w.Figure)
	if len(w.Per) == 0 {
		return name
	}
	of := ""
	if w.Of != "" {
		of = w.Of + ": "
	}
	return fmt.Sprintf("%s ÷ %s%s", name, of, strings.Join(w.Per, " + "))
}

// of makes the value of a result: the median of the rounds.
func (w Watch) of(r *suite.Result) (float64, error) {
	line, err := w.rounds(r, w.Line)
	if err != nil {
		return 0, err
	}
	base := line
	if w.Of != "" {
		if base, err = w.rounds(r, w.Of); err != nil {
			return 0, err
		}
	}
	var values []float64
	for i := range min(len(line), len(base)) {
		value, measured := line[i][w.Figure]
		if !measured {
			return 0, fmt.Errorf("%s: not all rounds have it", w.Name())
		}
		divisor, err := w.divisor(base[i])
		if err != nil {
			return 0, err
		}
		values = append(values, value/divisor)
	}
	if len(values) == 0 {
		return 0, fmt.Errorf("%s: was not measured", w.Name())
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2, nil
}

// rounds are those of a line.
func (w Watch) rounds(r *suite.Result, name string) ([]suite.Sample, error) {
	for _, line := range r.Lines {
		if line.Name == name {
			if line.Skipped != "" {
				return nil, fmt.Errorf("%s: %s was skipped: %s", w.Name(), name, line.Skipped)
			}
			return line.Rounds, nil
		}
	}
	return nil, fmt.Errorf("%s: there is no line %q", w.Name(), name)
}

func (w Watch) divisor(s suite.Sample) (float64, error) {
	if len(w.Per) == 0 {
		return 1, nil
	}
	var sum float64
	for _, figure := range w.Per {
		sum += s[figure]
	}
	if sum <= 0 {
		return 0, fmt.Errorf("%s: nothing to divide by", w.Name())
	}
	return sum, nil
}

// Of makes the values of what is watched in a result.
func Of(watched []Watch, r *suite.Result) (Values, error) {
	values := make(Values)
	for _, w := range watched {
		if w.Scenario != r.Name {
			continue
		}
		value, err := w.of(r)
		if err != nil {
			return nil, err
		}
		values[w.Name()] = value
	}
	return values, nil
}

// Only is the scenario with nothing in it but the lines that are needed; ok is
// false if none are.
func Only(watched []Watch, s suite.Scenario) (only suite.Scenario, ok bool) {
	needed := make(map[string]bool)
	for _, w := range watched {
		if w.Scenario == s.Name {
			needed[w.Line], needed[w.Of] = true, true
		}
	}
	s.Lines = slices.DeleteFunc(slices.Clone(s.Lines), func(l suite.Line) bool { return !needed[l.Name] })
	s.Derive, s.Bars = nil, nil // they may need the others
	return s, len(s.Lines) > 0
}
