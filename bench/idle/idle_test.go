package idle

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

func TestMain(m *testing.M) {
	if exit, child := proc.Main(os.Args[1:], part.All()); child {
		os.Exit(exit)
	}
	os.Exit(m.Run())
}

func TestFigures(t *testing.T) {
	before := view{part.Held{Routers: 10, Heap: 2 << 20, Stacks: 1 << 20, Goroutines: 40}, 20 << 20, time.Second}
	registered := view{part.Held{Routers: 110}, 0, 2 * time.Second}
	end := view{part.Held{Routers: 110, Heap: 3 << 20, Stacks: 2 << 20, Goroutines: 340}, 30 << 20, 4 * time.Second}
	begin := view{resident: 27 << 20, cpu: 3 * time.Second}
	span := stage.Span[view]{Elapsed: time.Minute, Before: begin, After: end}
	got, err := figures(before, registered, span)
	if err != nil {
		t.Fatal(err)
	}
	for figure, want := range map[string]float64{
		resident: 104.8576, heap: 10.48576, stacks: 10.48576, goroutines: 3, perMinute: 1000. / 110, perRegistration: 10, growth: 10,
	} {
		if math.Abs(got[figure]-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", figure, got[figure], want)
		}
	}
	span.Before.resident = 40 << 20 // it was more at the beginning
	if got, _ := figures(before, registered, span); math.Abs(got[resident]-209.7152) > 1e-9 || got[growth] > -33 {
		t.Errorf("less at the end: %v", got)
	}
	if _, err := figures(before, before, span); !errors.Is(err, errNobody) {
		t.Errorf("nobody came: %v", err)
	}
	span.After.held.Routers--
	if _, err := figures(before, registered, span); err == nil || !strings.Contains(err.Error(), "109 are left") {
		t.Errorf("one was lost: %v", err)
	}
}

// TestCrowd: a small one gives every figure that the columns show.
func TestCrowd(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a relay to collect its garbage several times")
	}
	var told strings.Builder
	env := suite.Env{Interval: 100 * time.Millisecond, Scratch: t.TempDir(), Progress: suite.NewProgress(&told, 0)}
	got, err := crowd(already+30).measure(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range Scenario().Columns {
		if _, measured := got[column.Figure]; !measured {
			t.Errorf("there is no %s", column.Figure)
		}
	}
	if got[goroutines] < 2 || got[goroutines] > 4 || got[resident] <= 0 || got[heap] < 20 || got[stacks] < 4 || got[perRegistration] <= 0 {
		t.Errorf("%v", got)
	}
	if !strings.HasSuffix(told.String(), "idle: 46 of 46 routers registered\n") {
		t.Errorf("told: %s", told.String())
	}
}
