package suite

import (
	"fmt"
	"strings"
)

// Verdict is a bar and what became of it.
type Verdict struct {
	Bar
	Worst   float64 `json:"worst"` // the median that is furthest on the wrong side
	Pass    bool    `json:"pass"`
	Skipped string  `json:"skipped,omitempty"` // why it was not judged

	// LeftOut are lines that the short form has not measured: it was judged on the others.
	LeftOut []string `json:"left_out,omitempty"`
}

// judge compares the medians with the bar. A line without the figure fails,
// unless something was skipped that it may have needed. In the short form the lines
// that it has are judged.
func (b Bar) judge(lines []LineResult) Verdict {
	v := Verdict{Bar: b, Pass: len(b.Lines) > 0}
	judged := 0
	for _, name := range b.Lines {
		line := find(lines, name)
		if line.Skipped == notShort {
			v.LeftOut = append(v.LeftOut, name)
			continue
		}
		value, measured := line.Median[b.Figure]
		if !measured {
			v.Pass = false
			if v.Skipped = reason(line, lines); v.Skipped != "" {
				return v
			}
		}
		if judged == 0 || b.worse(value, v.Worst) {
			v.Worst = value
		}
		judged++
		v.Pass = v.Pass && b.reached(value)
	}
	if judged == 0 && v.LeftOut != nil {
		return Verdict{Bar: b, Skipped: notShort}
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
		return fmt.Sprintf("PASS  %s, %s: %.2f%s", v.What, v.limit(), v.Worst, v.part())
	}
	return fmt.Sprintf("FAIL  %s, %s: %.2f%s", v.What, v.limit(), v.Worst, v.part())
}

// part says so if not all lines were judged.
func (v Verdict) part() string {
	if v.LeftOut == nil {
		return ""
	}
	return fmt.Sprintf(" (judged on %d of %d lines: %s %s)", len(v.Lines)-len(v.LeftOut), len(v.Lines), strings.Join(v.LeftOut, ", "), notShort)
}
