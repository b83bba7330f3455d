package suite

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the medians, with the spread where a column wants it, and
// below them every bar with its verdict, what was skipped and why, and notes.
func (r *Result) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s\n", r.Name, r.About)
	if r.Skipped != "" {
		_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(append([]string{"SKIP  all of it: " + r.Skipped}, r.verdicts()...), "\n"))
		return err
	}
	if r.Failed != "" {
		fmt.Fprintf(w, "\nFAIL  %s\n", r.Failed)
		if !r.measured() {
			return nil
		}
	}
	fmt.Fprintf(w, "%s\n\n", r.rounds())
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := []string{""}
	for _, c := range r.Columns {
		row = append(row, c.Head)
	}
	writeRow(table, row)
	for _, line := range r.Lines {
		row := []string{line.Name}
		for _, c := range r.Columns {
			row = append(row, line.cell(c))
		}
		writeRow(table, row)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, below := range [][]string{r.Notes, r.left(), r.verdicts()} {
		if len(below) > 0 {
			fmt.Fprintf(w, "\n%s\n", strings.Join(below, "\n"))
		}
	}
	return nil
}

// measured tells whether any line has figures.
func (r *Result) measured() bool {
	return slices.ContainsFunc(r.Lines, func(l LineResult) bool { return len(l.Rounds) > 0 })
}

// rounds says what the figures are.
func (r *Result) rounds() string {
	n := 0
	for _, line := range r.Lines {
		n = max(n, len(line.Rounds))
	}
	if n == 1 {
		return "measured once"
	}
	return fmt.Sprintf("median of %d rounds (smallest–largest)", n)
}

// left is what was left out, those together that have one reason.
func (r *Result) left() (lines []string) {
	var reasons []string
	names := make(map[string][]string)
	for _, line := range r.Lines {
		if line.Skipped == "" {
			continue
		}
		if names[line.Skipped] == nil {
			reasons = append(reasons, line.Skipped)
		}
		names[line.Skipped] = append(names[line.Skipped], line.Name)
	}
	for _, why := range reasons {
		lines = append(lines, fmt.Sprintf("SKIP  %s: %s", strings.Join(names[why], ", "), why))
	}
	return lines
}

func (r *Result) verdicts() (lines []string) {
	for _, bar := range r.Bars {
		lines = append(lines, bar.String())
	}
	return lines
}

func writeRow(w io.Writer, cells []string) {
	fmt.Fprintf(w, "%s\t\n", strings.Join(cells, "\t"))
}

func (l LineResult) cell(c Column) string {
	value, measured := l.Median[c.Figure]
	if !measured {
		return "–"
	}
	if spread := l.Spread[c.Figure]; c.Spread && len(l.Rounds) > 1 {
		return fmt.Sprintf("%.*f (%.*f–%.*f)", c.Decimals, value, c.Decimals, spread.Min, c.Decimals, spread.Max)
	}
	return fmt.Sprintf("%.*f", c.Decimals, value)
}
