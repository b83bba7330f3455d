package guard

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// cost and speed are two values that are watched: less is better, and more is.
func watches() []Watch {
	return []Watch{
		{Scenario: "s", Line: "a", Figure: "cost", Per: []string{"yard"}, Tolerance: 0.5},
		{Scenario: "s", Line: "b", Figure: "speed", Tolerance: 0.2, More: true},
	}
}

const (
	cost  = "s: a: cost ÷ yard"
	speed = "s: b: speed"
	alloc = functionsPrefix + "wire Verify"
)

// gives makes a Measure of what it gives each time, and notes what it was asked for.
func gives(asked *[][]string, values ...Values) Measure {
	return func(_ context.Context, names []string) (Values, error) {
		*asked = append(*asked, names)
		now := values[0]
		values = values[1:]
		return now, nil
	}
}

func TestCheck(t *testing.T) {
	was := Values{cost: 2, speed: 100, alloc: 3}
	for name, c := range map[string]struct {
		measured []Values
		asked    [][]string // after the first time
		worse    []string
	}{
		"the same":                 {[]Values{{cost: 2, speed: 100, alloc: 3}}, nil, nil},
		"better":                   {[]Values{{cost: 0.1, speed: 900, alloc: 0}}, nil, nil},
		"as much as is allowed":    {[]Values{{cost: 3, speed: 80, alloc: 3}}, nil, nil},
		"worse, but not again":     {[]Values{{cost: 3.1, speed: 100, alloc: 3}, {cost: 2.9}}, [][]string{{cost}}, nil},
		"worse, and again":         {[]Values{{cost: 3.1, speed: 79, alloc: 3}, {cost: 4, speed: 10}}, [][]string{{cost, speed}}, []string{cost, speed}},
		"one allocation":           {[]Values{{cost: 2, speed: 100, alloc: 4}, {alloc: 4}}, [][]string{{alloc}}, []string{alloc}},
		"one is not measured":      {[]Values{{cost: 2, alloc: 3}}, nil, []string{speed}},
		"a function is gone":       {[]Values{{cost: 2, speed: 100}}, nil, []string{alloc}},
		"a function is new":        {[]Values{{cost: 2, speed: 100, alloc: 3, alloc + "2": 0}}, nil, []string{alloc + "2"}},
		"what is new is no reason": {[]Values{{cost: 2, speed: 1, alloc: 3, alloc + "2": 0}, {speed: 100}}, [][]string{{speed}}, []string{alloc + "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			var asked [][]string
			rows, err := Check(t.Context(), was, watches(), gives(&asked, c.measured...))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(asked[1:], c.asked, slices.Equal) || asked[0] != nil {
				t.Errorf("asked for %q, want all and then %q", asked, c.asked)
			}
			var worse []string
			for _, row := range rows {
				if row.Worse {
					worse = append(worse, row.Name)
				}
			}
			if !slices.Equal(worse, c.worse) {
				t.Errorf("worse is %q, want %q", worse, c.worse)
			}
			err = Failure(rows)
			for _, name := range c.worse {
				if err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%v does not name %s", err, name)
				}
			}
			if (err == nil) != (len(c.worse) == 0) {
				t.Errorf("failure %v", err)
			}
		})
	}
}

func TestCheckFails(t *testing.T) {
	broken := errors.New("no luck")
	for left := range 2 {
		_, err := Check(t.Context(), Values{cost: 1}, watches()[:1], func(context.Context, []string) (Values, error) {
			if left--; left < 0 {
				return nil, broken
			}
			return Values{cost: 9}, nil
		})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
}

func TestTable(t *testing.T) {
	var asked [][]string
	was := Values{cost: 2, speed: 100, alloc: 0, "gone": 1}
	rows, err := Check(t.Context(), was, watches(), gives(&asked, Values{cost: 3.1, speed: 150, alloc: 1}, Values{cost: 2.5, alloc: 1}))
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := WriteTable(&table, rows); err != nil {
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
