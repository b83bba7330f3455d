package suite

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// lasting is a scenario with lines that take so long.
func lasting(name string, took ...time.Duration) Scenario {
	s := Scenario{Name: name}
	for i, d := range took {
		s.Lines = append(s.Lines, Line{Name: fmt.Sprint("line ", i+1), Measure: func(context.Context, Env) (Sample, error) {
			time.Sleep(d)
			return Sample{}, nil
		}})
	}
	return s
}

// TestTimeLeft: a guess at first, and then what things have taken.
func TestTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scenarios := []Scenario{lasting("a", 10*time.Second, 100*time.Second), lasting("b", time.Second)}
		scenarios[1].Lines[0].Takes = After(2 * time.Second)
		var told bytes.Buffer
		o := Options{Rounds: 2, Interval: 5 * time.Second, Progress: NewProgress(&told, 0)}
		o.Progress.Plan(scenarios, o)
		for _, s := range scenarios {
			if _, err := Run(t.Context(), s, o); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{ // 7.5 s is the first guess of each, 9.5 s of the last line
			"a: round 1 of 2: line 1, about 49 s left", "a: round 1 of 2: line 2, about 44 s left",
			"a: round 2 of 2: line 1, about 2 min left", "a: round 2 of 2: line 2, about 2 min left",
			"b: round 1 of 2: line 1, about 19 s left", "b: round 2 of 2: line 1, about 1 s left", "",
		}
		if got := strings.Split(told.String(), "\n"); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", told.String(), strings.Join(want, "\n"))
		}
	})
}

// TestSkippedTakesNoTime: what was found to be impossible is not waited for.
func TestSkippedTakesNoTime(t *testing.T) {
	s := Scenario{Name: "s", Lines: []Line{{Name: "l", Measure: func(context.Context, Env) (Sample, error) { return nil, Skip("no") }}}}
	p := NewProgress(new(bytes.Buffer), 0)
	o := Options{Rounds: 9, Progress: p}
	p.Plan([]Scenario{s}, o)
	if _, err := Run(t.Context(), s, o); err != nil || len(p.ahead) != 0 {
		t.Errorf("%v, and %d steps are ahead", err, len(p.ahead))
	}
}

// TestTerminal: one line, rewritten, never longer than the terminal, and removed at the end.
func TestTerminal(t *testing.T) {
	var told bytes.Buffer
	p := NewProgress(&told, 12)
	p.begin("scenario", "× line", 0, 3)
	p.begin("s", "", 0, 1)
	p.Clear()
	if want := "\r\x1b[Kscenario: r\r\x1b[Ks\r\x1b[K"; told.String() != want {
		t.Errorf("got %q, want %q", told.String(), want)
	}
}
