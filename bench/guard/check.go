package guard

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Row is a value, and what became of it.
type Row struct {
	Name      string
	Was, Is   float64
	First     float64 // what the first measurement gave, if there was another one
	Again     bool    // there was
	Tolerance float64
	More      bool
	Worse     bool
	Unknown   string // why Was and Is can't be compared; it counts as worse
}

// Measure measures values: those with the names, or all that there are if names is nil.
type Measure func(ctx context.Context, names []string) (Values, error)

// Check measures, compares with the committed values, and measures again what is
// worse than it may be: the better one counts.
func Check(ctx context.Context, was Values, watched []Watch, measure Measure) ([]Row, error) {
	first, err := measure(ctx, nil)
	if err != nil {
		return nil, err
	}
	rows := compare(was, first, watched)
	var worse []string
	for _, row := range rows {
		if row.Worse && row.Unknown == "" {
			worse = append(worse, row.Name)
		}
	}
	if worse == nil {
		return rows, nil
	}
	second, err := measure(ctx, worse)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if value, measured := second[rows[i].Name]; measured && slices.Contains(worse, rows[i].Name) {
			rows[i].again(value)
		}
	}
	return rows, nil
}

// compare makes the rows: first what scenarios give, in their order, then functions.
func compare(was, is Values, watched []Watch) (rows []Row) {
	var names []string
	by := make(map[string]Watch)
	for _, w := range watched {
		names = append(names, w.Name())
		by[w.Name()] = w
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if _, known := by[name]; !known {
			names = append(names, name) // an allocation: exact, less is better
		}
	}
	for _, name := range names {
		row := Row{Name: name, Tolerance: by[name].Tolerance, More: by[name].More}
		var committed, measured bool
		row.Was, committed = was[name]
		row.Is, measured = is[name]
		switch {
		case !measured:
			row.Unknown = "it was not measured"
		case !committed:
			row.Unknown = "it is new: the file has no value of it"
		}
		row.Worse = row.Unknown != "" || row.worse(row.Is)
		rows = append(rows, row)
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if !slices.Contains(names, name) {
			rows = append(rows, Row{Name: name, Was: was[name], Worse: true, Unknown: "it is gone: nothing gives this value any more"})
		}
	}
	return rows
}

func (r Row) worse(value float64) bool {
	if r.More {
		return value < r.Was*(1-r.Tolerance)
	}
	return value > r.Was*(1+r.Tolerance)
}

// again takes a second measurement into account.
func (r *Row) again(value float64) {
	r.First, r.Again = r.Is, true
	if r.More == (value > r.Is) {
		r.Is = value
	}
	r.Worse = r.worse(r.Is)
}

// Failure says what is worse, or returns nil.
func Failure(rows []Row) error {
	var names []string
	for _, row := range rows {
		if row.Worse {
			names = append(names, row.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("worse than committed: %s", strings.Join(names, "; "))
}
