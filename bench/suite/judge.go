package suite

import "fmt"

// Verdict is a bar and what became of it.
type Verdict struct {
	Bar
	Worst   float64 `json:"worst"` // the median that is furthest on the wrong side
	Pass    bool    `json:"pass"`
	Skipped string  `json:"skipped,omitempty"` // why it was not judged
}

// judge compares the medians with the bar. A line without the figure fails,
// unless something was skipped that it may have needed.
func (b Bar) judge(lines []LineResult) Verdict {
	v := Verdict{Bar: b, Pass: len(b.Lines) > 0}
	for i, name := range b.Lines {
		line := find(lines, name)
		value, measured := line.Median[b.Figure]
		if !measured {
			v.Pass = false
			if v.Skipped = reason(line, lines); v.Skipped != "" {
				return v
			}
		}
		if i == 0 || b.worse(value, v.Worst) {
			v.Worst = value
		}
		v.Pass = v.Pass && b.reached(value)
	}
	return v
}

func find(lines []LineResult, name string) LineResult {
	for _, l := range lines {
		if l.Name == name {
			return l
		}
	}
	return LineResult{}
}

// reason is why a line has no figure: it was skipped, or else another one was.
func reason(line LineResult, all []LineResult) string {
	if line.Skipped != "" {
		return line.Skipped
	}
	for _, l := range all {
		if l.Skipped != "" {
			return l.Name + ": " + l.Skipped
		}
	}
	return ""
}

func (b Bar) worse(value, than float64) bool {
	return b.AtLeast != 0 && value < than || (b.AtMost != 0 || b.Zero) && value > than
}

func (b Bar) reached(value float64) bool {
	return (b.AtLeast == 0 || value >= b.AtLeast) && (b.AtMost == 0 || value <= b.AtMost) && (!b.Zero || value == 0)
}

// limit says what the bar asks for.
func (b Bar) limit() string {
	switch {
	case b.Zero:
		return "none"
	case b.AtLeast != 0:
		return fmt.Sprintf("at least %.2f", b.AtLeast)
	}
	return fmt.Sprintf("at most %.2f", b.AtMost)
}

// String is the verdict as a line below the table.
func (v Verdict) String() string {
	switch {
	case v.Skipped != "":
		return fmt.Sprintf("SKIP  %s, %s: %s", v.What, v.limit(), v.Skipped)
	case v.Pass:
		return fmt.Sprintf("PASS  %s, %s: %.2f", v.What, v.limit(), v.Worst)
	}
	return fmt.Sprintf("FAIL  %s, %s: %.2f", v.What, v.limit(), v.Worst)
}
