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

// of makes the value of a result. Of each line the best round counts: what else
// runs on the machine makes work dearer and never cheaper, and on a busy one most
// rounds may be bad.
func (w Watch) of(r *suite.Result) (float64, error) {
	value, err := w.best(r, w.Line, []string{w.Figure}, w.More)
	if err != nil || len(w.Per) == 0 {
		return value, err
	}
	base := w.Line
	if w.Of != "" {
		base = w.Of
	}
	divisor, err := w.best(r, base, w.Per, w.More)
	if err != nil {
		return 0, err
	}
	if divisor <= 0 {
		return 0, fmt.Errorf("%s: nothing to divide by", w.Name())
	}
	return value / divisor, nil
}

// best is the sum of the figures in the best round of a line.
func (w Watch) best(r *suite.Result, name string, figures []string, more bool) (best float64, err error) {
	rounds, err := w.rounds(r, name)
	if err != nil {
		return 0, err
	}
	if len(rounds) == 0 {
		return 0, fmt.Errorf("%s: %s was not measured", w.Name(), name)
	}
	for i, round := range rounds {
		var sum float64
		for _, figure := range figures {
			value, measured := round[figure]
			if !measured {
				return 0, fmt.Errorf("%s: not all rounds of %s have %s", w.Name(), name, figure)
			}
			sum += value
		}
		if i == 0 || more == (sum > best) {
			best = sum
		}
	}
	return best, nil
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
