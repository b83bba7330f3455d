package suite

import "strings"

// Result is what became of a scenario. It says all that its table and picture
// need, so that both can be had of a report, too.
type Result struct {
	Name    string       `json:"name"`
	About   string       `json:"about"`
	Skipped string       `json:"skipped,omitempty"` // why nothing was measured
	Failed  string       `json:"failed,omitempty"`  // what has ended it before its time; Lines have the rounds before
	Lines   []LineResult `json:"lines"`
	Bars    []Verdict    `json:"bars"`
	Notes   []string     `json:"notes,omitempty"` // sentences that belong below the table
	Columns []Column     `json:"columns"`
	Charts  []Chart      `json:"charts,omitempty"`
}

// LineResult is what became of a line.
type LineResult struct {
	Name    string            `json:"name"`
	Skipped string            `json:"skipped,omitempty"` // why it was not measured
	Median  Sample            `json:"median"`
	Spread  map[string]Spread `json:"spread"`
	Rounds  []Sample          `json:"rounds"`
}

// AddLine adds a line, with what each round gave.
func (r *Result) AddLine(name string, rounds []Sample) {
	median, spread := summarize(rounds)
	r.Lines = append(r.Lines, LineResult{Name: name, Median: median, Spread: spread, Rounds: rounds})
}

// describe completes the result with what the scenario says of it, and judges it.
func (r *Result) describe(s Scenario) {
	r.Name, r.About = s.Name, s.About
	if s.Columns != nil {
		r.Columns, r.Charts = s.Columns, s.charts()
	}
	r.noteRealTime()
	if r.Bars != nil {
		return // the program that has measured it has judged it
	}
	for _, bar := range s.Bars {
		r.Bars = append(r.Bars, r.judge(bar))
	}
}

// noteRealTime says which lines were measured without the real time that they need.
func (r *Result) noteRealTime() {
	var denied []string
	for _, line := range r.Lines {
		if spread, wanted := line.Spread[RealTime]; wanted && spread.Min == 0 {
			denied = append(denied, line.Name)
		}
	}
	if denied != nil && r.Bars == nil {
		r.Notes = append(r.Notes, "not in real time, which takes root or CAP_SYS_NICE, so others' time slices are in the delays: "+strings.Join(denied, ", "))
	}
}

// judge says what became of a bar.
func (r *Result) judge(bar Bar) Verdict {
	switch {
	case r.Skipped != "":
		return Verdict{Bar: bar, Skipped: r.Skipped}
	case r.Failed != "":
		return Verdict{Bar: bar, Skipped: "the measurement failed"}
	}
	return bar.judge(r.Lines)
}

// charts are the scenario's, or one of each column whose spread matters.
func (s Scenario) charts() []Chart {
	if s.Charts != nil {
		return s.Charts
	}
	var charts []Chart
	for _, c := range s.Columns {
		if c.Spread {
			charts = append(charts, Chart{Title: c.Head, Series: []Series{{Figure: c.Figure}}})
		}
	}
	return charts
}

// Pass tells whether all bars are reached. One that was skipped is not, nor is
// anything reached where nothing was measured, or not all of it.
func (r *Result) Pass() bool {
	if r.Skipped != "" || r.Failed != "" {
		return false
	}
	for _, bar := range r.Bars {
		if !bar.Pass || bar.Skipped != "" {
			return false
		}
	}
	return true
}
