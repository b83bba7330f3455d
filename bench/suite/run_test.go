package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// threeRounds is a scenario of two lines whose figures are known.
func threeRounds(order *[]string) Scenario {
	value := map[string][]float64{"base": {10, 20, 5}, "other": {5, 20, 10}}
	line := func(name string) Line {
		return Line{Name: name, Measure: func(_ context.Context, env Env) (Sample, error) {
			*order = append(*order, name)
			v := value[name][0]
			value[name] = value[name][1:]
			_, err := os.Stat(env.Scratch)
			return Sample{"speed": v}, err
		}}
	}
	return Scenario{
		Name: "sample", About: "two lines", Lines: []Line{line("base"), line("other")},
		Derive: func(round map[string]Sample) {
			round["other"]["ratio"] = round["other"]["speed"] / round["base"]["speed"]
		},
		Columns: []Column{{Figure: "speed", Head: "speed", Spread: true}, {Figure: "ratio", Head: "ratio", Decimals: 2}},
		Bars: []Bar{
			{What: "ratio", Figure: "ratio", Lines: []string{"other"}, AtLeast: 1},
			{What: "speed", Figure: "speed", Lines: []string{"base", "other"}, AtMost: 9},
		},
	}
}

func runThree(t *testing.T) (*Result, []string) {
	t.Helper()
	var order []string
	r, err := Run(t.Context(), threeRounds(&order), Options{Rounds: 3, Interval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return r, order
}

func TestRoundsAreInterleaved(t *testing.T) {
	_, order := runThree(t)
	if want := []string{"base", "other", "base", "other", "base", "other"}; !slices.Equal(order, want) {
		t.Errorf("measured %v, want %v", order, want)
	}
}

// TestProfiles: the last round has a prefix for them, which says of what they are.
func TestProfiles(t *testing.T) {
	var prefixes []string
	s := Scenario{Name: "swarm", Lines: []Line{{Name: "1,000 sessions, greedy", Measure: func(_ context.Context, env Env) (Sample, error) {
		prefixes = append(prefixes, env.Profiles)
		return Sample{}, nil
	}}}}
	if _, err := Run(t.Context(), s, Options{Rounds: 2, Profiles: "p"}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", filepath.Join("p", "swarm-1000-sessions-greedy")}; !slices.Equal(prefixes, want) {
		t.Errorf("got %q, want %q", prefixes, want)
	}
}

// TestRealTimeDenied: a line that had no real time in one of its rounds is named below the table.
func TestRealTimeDenied(t *testing.T) {
	line := func(name string, got ...float64) Line {
		return Line{Name: name, Measure: func(context.Context, Env) (Sample, error) {
			now := got[0]
			got = got[1:]
			return Sample{RealTime: now}, nil
		}}
	}
	for note, lines := range map[string][]Line{
		"": {line("a", 1, 1), {Name: "b", Measure: func(context.Context, Env) (Sample, error) { return Sample{"x": 0}, nil }}},
		"not in real time, which takes root or CAP_SYS_NICE, so others' time slices are in the delays: b, c": {line("a", 1, 1), line("b", 1, 0), line("c", 0, 0)},
	} {
		r, err := Run(t.Context(), Scenario{Lines: lines}, Options{Rounds: 2})
		if err != nil || strings.Join(r.Notes, "\n") != note {
			t.Errorf("%q, %v, want %q", r.Notes, err, note)
		}
	}
}

// TestMostRounds: what takes minutes is measured once, however often the rest is.
func TestMostRounds(t *testing.T) {
	var order []string
	s := threeRounds(&order)
	s.MostRounds = 1
	if _, err := Run(t.Context(), s, Options{Rounds: 3, Interval: time.Second}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"base", "other"}; !slices.Equal(order, want) || len(s.steps(Options{Rounds: 3})) != len(want) {
		t.Errorf("measured %v, want %v", order, want)
	}
}

// TestRatiosWithinRounds: the median of ratios 0.5, 1, 2, not the ratio of medians of other rounds.
func TestRatiosWithinRounds(t *testing.T) {
	r, _ := runThree(t)
	if got := r.Lines[1].Median["ratio"]; got != 1 {
		t.Errorf("ratio %v, want 1", got)
	}
	if got := r.Lines[1].Spread["ratio"]; got != (Spread{0.5, 2}) {
		t.Errorf("spread %v, want 0.5 to 2", got)
	}
	if r.Pass() {
		t.Error("passes although the second bar is not reached")
	}
}

func TestTable(t *testing.T) {
	r, _ := runThree(t)
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/table.txt"
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if table.String() != string(want) {
		t.Errorf("got\n%swant, from %s,\n%s", table.String(), golden, want)
	}
}

// TestFailureEndsScenario: nothing is measured after it; the rounds before are shown, and
// no bar counts as reached.
func TestFailureEndsScenario(t *testing.T) {
	broken, rounds := errors.New("no luck"), 0
	s := Scenario{Name: "s", Columns: []Column{{Figure: "x", Head: "x"}}, Lines: []Line{
		{Name: "a", Measure: func(context.Context, Env) (Sample, error) {
			if rounds++; rounds == 3 {
				return nil, broken
			}
			return Sample{"x": float64(rounds)}, nil
		}},
		{Name: "b", Measure: func(context.Context, Env) (Sample, error) {
			if rounds == 3 {
				t.Error("measures on")
			}
			return Sample{"x": 9}, nil
		}},
	}, Bars: []Bar{{What: "x", Figure: "x", Lines: []string{"a"}, AtLeast: 1}}}
	p := NewProgress(new(bytes.Buffer), 0)
	p.Plan([]Scenario{s}, Options{Rounds: 5})
	r, err := Run(t.Context(), s, Options{Rounds: 5, Progress: p})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "s: a: ") || r.Failed != err.Error() || len(p.ahead) > 0 {
		t.Fatalf("got %v, %+v, and %d steps are ahead", err, r, len(p.ahead))
	}
	if r.Pass() || r.Bars[0].Pass || r.Bars[0].Skipped == "" || len(r.Lines[0].Rounds) != 2 {
		t.Errorf("%+v", r)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FAIL  s: a: no luck\n", "median of 2 rounds", "SKIP  x, at least 1.00: the measurement failed\n"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
}

func TestFailureInFirstRound(t *testing.T) {
	broken := errors.New("no luck")
	s := Scenario{Name: "s", Lines: []Line{
		{Name: "a", Measure: func(context.Context, Env) (Sample, error) { return nil, broken }},
		{Name: "b", Measure: func(context.Context, Env) (Sample, error) { t.Error("measures on"); return nil, nil }},
	}}
	r, err := Run(t.Context(), s, Options{Rounds: 2})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil || table.String() != "s: \n\nFAIL  s: a: no luck\n" {
		t.Errorf("%v, %q", err, table.String())
	}
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupt := errors.New("interrupt")
	var scratch string
	s := Scenario{Lines: []Line{{Measure: func(_ context.Context, env Env) (Sample, error) {
		scratch = env.Scratch
		cancel(interrupt)
		return Sample{}, nil
	}}}}
	if _, err := Run(ctx, s, Options{Rounds: 9}); err != interrupt {
		t.Errorf("got %v, want the reason", err)
	}
	if _, err := os.Stat(scratch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the scratch folder is left behind: %v", err)
	}
}

func TestReport(t *testing.T) {
	r, _ := runThree(t)
	report := NewReport([]string{"--rounds", "3"})
	report.Scenarios = []*Result{r}
	path := filepath.Join(t.TempDir(), "r.json")
	if err := report.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back.Go == "" || back.Kernel == "" || back.CPUs < 1 || len(back.Flags) != 2 {
		t.Errorf("the machine is not described: %s", data)
	}
	if got := back.Scenarios[0].Lines[1].Rounds[2]["ratio"]; got != 2 {
		t.Errorf("ratio of the third round %v, want 2", got)
	}
}
