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

	// Derive adds figures that need several lines of one round, such as ratios.
	// It gets the samples by the name of their line. It may be nil.
	Derive func(round map[string]Sample)

	Columns []Column
	Bars    []Bar
}

// Line is one thing that is measured.
type Line struct {
	Name    string
	Measure func(context.Context, Env) (Sample, error)
}

// Env is what a measurement is given.
type Env struct {
	Interval time.Duration // of the measurement proper, without preparations
	Scratch  string        // an empty folder for this measurement, removed afterwards
	Profiles string        // a prefix for the paths of CPU profiles; empty for none
	Progress func(string)  // is told what takes long; nil: nobody is told
}

// Say tells what takes long, if anybody wants to know.
func (e Env) Say(what string) {
	if e.Progress != nil {
		e.Progress(what)
	}
}

// Column is a column of the table.
type Column struct {
	Figure   string
	Head     string
	Decimals int
	Spread   bool // show the smallest and largest round too
}

// Bar is what a figure has to reach, on every one of its lines.
type Bar struct {
	What    string // one sentence
	Figure  string
	Lines   []string
	AtLeast float64 // if not zero
	AtMost  float64 // if not zero
}

// Verdict is a bar and what became of it.
type Verdict struct {
	What  string  `json:"what"`
	Worst float64 `json:"worst"` // the median that is furthest on the wrong side
	Pass  bool    `json:"pass"`
}

// judge compares the medians with the bar. A line without the figure fails.
func (b Bar) judge(medians map[string]Sample) Verdict {
	v := Verdict{What: b.What, Pass: len(b.Lines) > 0}
	for i, line := range b.Lines {
		value, measured := medians[line][b.Figure]
		if i == 0 || b.AtLeast != 0 && value < v.Worst || b.AtMost != 0 && value > v.Worst {
			v.Worst = value
		}
		if !measured || b.AtLeast != 0 && value < b.AtLeast || b.AtMost != 0 && value > b.AtMost {
			v.Pass = false
		}
	}
	return v
}
