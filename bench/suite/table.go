package suite

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the medians, with the spread where a column wants it, and
// below them every bar with its verdict.
func (r *Result) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s\nmedian of %d rounds (smallest–largest)\n\n", r.Name, r.scenario.About, r.rounds())
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := []string{""}
	for _, c := range r.scenario.Columns {
		row = append(row, c.Head)
	}
	writeRow(table, row)
	for _, line := range r.Lines {
		row := []string{line.Name}
		for _, c := range r.scenario.Columns {
			row = append(row, line.cell(c))
		}
		writeRow(table, row)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for i, bar := range r.Bars {
		fmt.Fprintf(w, "%s  %s: %.2f\n", verdict(bar.Pass), r.scenario.Bars[i].text(), bar.Worst)
	}
	return nil
}

func (r *Result) rounds() int {
	if len(r.Lines) == 0 {
		return 0
	}
	return len(r.Lines[0].Rounds)
}

func writeRow(w io.Writer, cells []string) {
	fmt.Fprintf(w, "%s\t\n", strings.Join(cells, "\t"))
}

func (l LineResult) cell(c Column) string {
	value, measured := l.Median[c.Figure]
	if !measured {
		return "–"
	}
	if spread := l.Spread[c.Figure]; c.Spread {
		return fmt.Sprintf("%.*f (%.*f–%.*f)", c.Decimals, value, c.Decimals, spread.Min, c.Decimals, spread.Max)
	}
	return fmt.Sprintf("%.*f", c.Decimals, value)
}

func (b Bar) text() string {
	if b.AtLeast != 0 {
		return fmt.Sprintf("%s, at least %.2f", b.What, b.AtLeast)
	}
	return fmt.Sprintf("%s, at most %.2f", b.What, b.AtMost)
}

func verdict(pass bool) string {
	if pass {
		return "PASS"
	}
	return "FAIL"
}
