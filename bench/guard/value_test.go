package guard

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/bench/suite"
)

func measured() *suite.Result {
	r := &suite.Result{Name: "bulk"}
	r.AddLine("relayed", []suite.Sample{{"cpu": 6, "yard": 4, "zero": 0}, {"cpu": 8, "yard": 4, "zero": 0}, {"cpu": 3, "yard": 2, "zero": 0}})
	r.AddLine("direct", []suite.Sample{{"up": 1, "down": 3}, {"up": 1, "down": 1}, {"up": 5, "down": 1}})
	r.Lines = append(r.Lines, suite.LineResult{Name: "peer", Skipped: "not installed"})
	return r
}

// TestOf: of each line the best round counts, which is the most where more is better.
func TestOf(t *testing.T) {
	got, err := Of([]Watch{
		{Scenario: "bulk", Line: "relayed", Figure: "cpu"},
		{Scenario: "bulk", Line: "relayed", Figure: "cpu", Per: []string{"yard"}},
		{Scenario: "bulk", Line: "relayed", Figure: "cpu", Of: "direct", Per: []string{"up", "down"}},
		{Scenario: "bulk", Line: "relayed", Figure: "yard", More: true},
		{Scenario: "swarm", Line: "relayed", Figure: "cpu"},
	}, measured())
	want := Values{"bulk: relayed: cpu": 3, "bulk: relayed: cpu ÷ yard": 1.5, "bulk: relayed: cpu ÷ direct: up + down": 1.5, "bulk: relayed: yard": 4}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// TestNoValue: what can't be had is an error, and no value that passes.
func TestNoValue(t *testing.T) {
	for why, w := range map[string]Watch{
		"no line":           {Line: "gone", Figure: "cpu"},
		"not all rounds":    {Line: "relayed", Figure: "gone"},
		"of direct have":    {Line: "relayed", Figure: "cpu", Of: "direct", Per: []string{"gone"}},
		"nothing to divide": {Line: "relayed", Figure: "cpu", Per: []string{"zero"}},
		"not installed":     {Line: "peer", Figure: "cpu"},
		`no line "other"`:   {Line: "relayed", Figure: "cpu", Of: "other", Per: []string{"up"}},
	} {
		w.Scenario = "bulk"
		if _, err := Of([]Watch{w}, measured()); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%+v: %v, want %q", w, err, why)
		}
	}
}

// TestOnly: nothing is measured that no value needs.
func TestOnly(t *testing.T) {
	var lines []suite.Line
	for _, name := range []string{"direct", "free", "relayed"} {
		lines = append(lines, suite.Line{Name: name, Measure: func(context.Context, suite.Env) (suite.Sample, error) { return nil, nil }})
	}
	watched := []Watch{{Scenario: "bulk", Line: "relayed", Of: "direct"}}
	only, ok := Only(watched, suite.Scenario{Name: "bulk", Lines: lines})
	if !ok || len(only.Lines) != 2 || only.Lines[0].Name != "direct" || only.Lines[1].Name != "relayed" {
		t.Errorf("%+v, %v", only.Lines, ok)
	}
	if len(lines) != 3 || lines[1].Name != "free" {
		t.Error("the scenario itself was changed")
	}
	if _, ok := Only(watched, suite.Scenario{Name: "swarm", Lines: lines}); ok {
		t.Error("a scenario is needed that is not watched")
	}
}
