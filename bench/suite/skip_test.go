package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
)

// withPeer is a scenario whose second line can't be measured, and whose third is long.
func withPeer(measured map[string]int) Scenario {
	line := func(name string, err error) Line {
		return Line{Name: name, Measure: func(context.Context, Env) (Sample, error) {
			measured[name]++
			return Sample{"speed": 4}, err
		}}
	}
	many := line("many", nil)
	many.Long = true
	return Scenario{
		Name: "sample", About: "three lines", Lines: []Line{line("ours", nil), line("peer", Skip("no %s here", "coturn")), many},
		Derive: func(round map[string]Sample) {
			for _, sample := range round {
				sample["vs_peer"] = sample["speed"] / round["peer"]["speed"]
			}
			round["peer"]["vs_peer"] = 1
		},
		Columns: []Column{{Figure: "speed", Head: "speed"}, {Figure: "vs_peer", Head: "× peer"}},
		Bars: []Bar{
			{What: "speed", Figure: "speed", Lines: []string{"ours"}, AtLeast: 1},
			{What: "× peer", Figure: "vs_peer", Lines: []string{"ours"}, AtLeast: 1},
		},
	}
}

// TestSkippedLine: it is tried once, ends nothing, and is told with its reason in
// table and report; what would have been made of it is no figure.
func TestSkippedLine(t *testing.T) {
	measured := make(map[string]int)
	r, err := Run(t.Context(), withPeer(measured), Options{Rounds: 3, Short: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{"ours": 3, "peer": 1}; !maps.Equal(measured, want) {
		t.Errorf("measured %v, want %v", measured, want)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"SKIP  peer: no coturn here\n", "SKIP  many: " + notShort + "\n",
		"PASS  speed, at least 1.00: 4.00\n", "SKIP  × peer, at least 1.00: peer: no coturn here\n",
	} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	data, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(data), `"skipped":"no coturn here"`) || strings.Contains(string(data), `"vs_peer":`) {
		t.Errorf("%v: %s", err, data)
	}
	if r.Pass() {
		t.Error("passes although a bar was not judged")
	}
}

// TestSkippedScenario: nothing of it is measured, and table and bars say why.
func TestSkippedScenario(t *testing.T) {
	here := Scenario{Name: "s", Bars: []Bar{{What: "speed", Figure: "x", Lines: []string{"a"}, AtLeast: 1}}}
	here.Elsewhere = &Elsewhere{Measure: func(context.Context, Options) (*Result, error) { return nil, Skip("not root") }}
	long := Scenario{Name: "s", Long: true, Bars: here.Bars, Lines: []Line{{Measure: func(context.Context, Env) (Sample, error) {
		t.Error("measured")
		return nil, nil
	}}}}
	for why, s := range map[string]Scenario{"not root": here, notShort: long} {
		r, err := Run(t.Context(), s, Options{Rounds: 1, Short: true})
		if err != nil {
			t.Fatal(err)
		}
		if without := (&Result{Skipped: why}); without.Pass() {
			t.Error("passes, since there is no bar")
		}
		var table bytes.Buffer
		if err := r.WriteTable(&table); err != nil {
			t.Fatal(err)
		}
		if want := "SKIP  all of it: " + why; r.Skipped != why || r.Bars[0].Skipped != why || r.Pass() || !strings.Contains(table.String(), want) {
			t.Errorf("%+v\n%s", r, table.String())
		}
	}
}

// TestElsewhere: what another program has measured is judged and shown as the scenario says.
func TestElsewhere(t *testing.T) {
	s := Scenario{
		Name: "s", Columns: []Column{{Figure: "x", Head: "x", Spread: true}},
		Bars: []Bar{{What: "x", Figure: "x", Lines: []string{"a"}, Zero: true}},
		Elsewhere: &Elsewhere{
			Takes: func(Options) time.Duration { return time.Minute },
			Measure: func(_ context.Context, o Options) (*Result, error) {
				o.Progress.Say("reading memory")
				o.Progress.Say("s: round 1 of 2, about 3 s left")
				r := &Result{Notes: []string{"as found"}}
				r.AddLine("a", []Sample{{"x": 2}})
				return r, nil
			},
		},
	}
	var told, table bytes.Buffer
	p := NewProgress(&told, 0)
	o := Options{Rounds: 3, Progress: p}
	p.Plan([]Scenario{s}, o)
	r, err := Run(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	if want := "s: \nmeasured once\n\n     x\n  a  2\n\nas found\n\nFAIL  x, none: 2.00\n"; table.String() != want {
		t.Errorf("got\n%swant\n%s", table.String(), want)
	}
	if want := "s, about 60 s left\ns: reading memory, about 60 s left\ns: round 1 of 2, about 3 s left\n"; told.String() != want {
		t.Errorf("told %q, want %q", told.String(), want)
	}
	broken := errors.New("no luck")
	s.Elsewhere.Measure = func(context.Context, Options) (*Result, error) { return nil, broken }
	if r, err := Run(t.Context(), s, Options{}); !errors.Is(err, broken) || r.Failed != "s: no luck" || r.Bars[0].Pass {
		t.Errorf("%+v, %v", r, err)
	}
	s.Elsewhere.Measure = func(context.Context, Options) (*Result, error) { return &Result{Failed: "s: half of it"}, nil }
	if r, err := Run(t.Context(), s, Options{}); err == nil || r.Failed != "s: half of it" || r.Pass() {
		t.Errorf("%+v, %v", r, err)
	}
}
