package suite

import (
	"context"
	"time"
)

// Sample is what measuring a line once gave: figures by name. Names are keys
// of the JSON report and end in their unit.
type Sample map[string]float64

// Scenario is a set of lines that are measured together.
type Scenario struct {
	Name  string
	About string // one sentence
	Lines []Line
	Long  bool // it has no place in the short form

	// MostRounds is how often it is measured at most, where once takes minutes. Zero:
	// as often as is asked for.
	MostRounds int

	// Elsewhere measures in another program what Lines would. It is nil where
	// lines measure themselves.
	Elsewhere *Elsewhere

	// Derive adds figures that need several lines of one round, such as ratios.
	// It gets the samples by the name of their line; that of a line that was
	// skipped is empty. A figure that is not finite is dropped. It may be nil.
	Derive func(round map[string]Sample)

	Columns []Column
	Bars    []Bar
	Charts  []Chart // of its picture; none: one of each column with a spread
}

// Line is one thing that is measured. Measure returns an error made by [Skip]
// where it can't be measured on this machine.
type Line struct {
	Name    string
	Measure func(context.Context, Env) (Sample, error)
	Long    bool // it has no place in the short form

	// Takes guesses how long measuring it once takes. It may be nil where that is as
	// [Options.Usual] says.
	Takes func(Options) time.Duration
}

// WarmUp is how long all runs before it is measured, or as long as the measurement
// if that is shorter: slow start and path MTU discovery are over.
const WarmUp = time.Second

// startUp is how long the processes of a measurement take to start and end, as a guess.
const startUp = 1500 * time.Millisecond

// Usual guesses how long it takes to start, warm up, measure and end.
func (o Options) Usual() time.Duration { return startUp + min(WarmUp, o.Interval) + o.Interval }

// After is the Takes of a line that prepares for so long in addition.
func After(preparing time.Duration) func(Options) time.Duration {
	return func(o Options) time.Duration { return preparing + o.Usual() }
}

// takes guesses how long the line takes.
func (l Line) takes(o Options) time.Duration {
	if l.Takes == nil {
		return o.Usual()
	}
	return l.Takes(o)
}

// Env is what a measurement is given.
type Env struct {
	Interval time.Duration // of the measurement proper, without preparations
	Scratch  string        // an empty folder for this measurement, removed afterwards
	Profiles string        // a prefix for the paths of CPU profiles; empty for none
	Progress *Progress     // for details of what takes long
}

// Elsewhere is a measurement that another program makes.
type Elsewhere struct {
	// Takes guesses how long it takes.
	Takes func(Options) time.Duration

	// Measure returns what the scenario's columns, bars and charts are about:
	// lines, and notes if any. An error made by [Skip] says why it can't.
	Measure func(context.Context, Options) (*Result, error)
}

// Column is a column of the table.
type Column struct {
	Figure   string `json:"figure"`
	Head     string `json:"head"`
	Decimals int    `json:"decimals,omitempty"`
	Spread   bool   `json:"spread,omitempty"` // show the smallest and largest round too
}

// Chart is a part of the scenario's picture: bars, one for each line and
// series, or curves.
type Chart struct {
	Title  string   `json:"title"` // with the unit
	Series []Series `json:"series"`
	Log    bool     `json:"log,omitempty"` // for values that differ by orders

	// Over makes curves of the series: the figure that lies on their horizontal
	// axis, which is logarithmic. Empty for bars.
	Over      string `json:"over,omitempty"`
	OverTitle string `json:"over_title,omitempty"`
}

// Series is what has one colour in a chart.
type Series struct {
	Name   string   `json:"name,omitempty"`
	Figure string   `json:"figure"`
	Lines  []string `json:"lines,omitempty"` // that it is about; none: all that have the figure
}

// Bar is what a figure has to reach, on every one of its lines.
type Bar struct {
	What    string   `json:"what"` // one sentence
	Figure  string   `json:"figure"`
	Lines   []string `json:"lines"`
	AtLeast float64  `json:"at_least,omitempty"` // if not zero
	AtMost  float64  `json:"at_most,omitempty"`  // if not zero
	Zero    bool     `json:"zero,omitempty"`     // it has to be 0
}
