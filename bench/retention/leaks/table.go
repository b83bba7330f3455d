package leaks

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Table is detector × leak.
type Table struct {
	Clean    []Outcome `json:"clean"` // the same build without a leak, in each mode
	Outcomes []Outcome `json:"outcomes"`
}

// OK tells whether all is as it should be: no leak was missed, and the build that
// does not leak passes under lockdown.
func (t *Table) OK() bool {
	missed := func(o Outcome) bool { return !o.OK }
	return t.cleanPasses() && len(t.Outcomes) == len(Variants())*len(Modes()) && !slices.ContainsFunc(t.Outcomes, missed)
}

// cleanPasses: without lockdown the auditor finds that it is missing, which is no leak.
func (t *Table) cleanPasses() bool { return len(t.Clean) > 0 && t.Clean[0].Verdict == "PASS" }

// String is an outcome as a line of progress.
func (o Outcome) String() string {
	name := o.Variant
	if name == "" {
		return fmt.Sprintf("no leak, lockdown %s: %s %s (%.0f s)", o.Mode, o.Verdict, o.Why, o.Seconds)
	}
	return fmt.Sprintf("%s, lockdown %s: %s (%.0f s)", name, o.Mode, o.what(), o.Seconds)
}

func (o Outcome) what() string {
	var parts []string
	if len(o.Refused) > 0 {
		parts = append(parts, "refused by the kernel")
	}
	if len(o.Caught) > 0 {
		parts = append(parts, "caught by "+strings.Join(o.Caught, ", "))
	}
	if !o.OK {
		parts = append(parts, "MISSED: "+o.Why)
	}
	return strings.Join(parts, ", ")
}

// columns are the detectors that some leak should be caught by, in the order of the variants.
func columns() (names []string) {
	for _, v := range Variants() {
		for _, name := range v.Caught {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// WriteText writes the table, one half for each mode.
func (t *Table) WriteText(w io.Writer) error {
	for i, mode := range Modes() {
		fmt.Fprintf(w, "lockdown %s", mode)
		if i < len(t.Clean) {
			fmt.Fprintf(w, " (without a leak: %s)", t.Clean[i].Verdict)
		}
		fmt.Fprintln(w)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(table, "  leak\tkernel\t%s\n", strings.Join(columns(), "\t"))
		for _, v := range Variants() {
			fmt.Fprintf(table, "  %s\t%s\n", v.Name, strings.Join(t.row(v, mode), "\t"))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	return t.writeResult(w)
}

func (t *Table) row(v Variant, mode string) []string {
	i := slices.IndexFunc(t.Outcomes, func(o Outcome) bool { return o.Variant == v.Name && o.Mode == mode })
	if i < 0 {
		return []string{"not tried"}
	}
	o := t.Outcomes[i]
	cells := []string{"-"}
	if len(o.Refused) > 0 {
		cells[0] = "refused"
	}
	for _, name := range columns() {
		cell := "-"
		if slices.Contains(o.Caught, name) {
			cell = "caught"
		}
		cells = append(cells, cell)
	}
	if !o.OK {
		cells = append(cells, "MISSED: "+o.Why)
	}
	return cells
}

func (t *Table) writeResult(w io.Writer) error {
	missed := 0
	for _, o := range t.Outcomes {
		if !o.OK {
			missed++
		}
	}
	if t.OK() {
		_, err := fmt.Fprintf(w, "PASS  %d leaks, each refused or caught in %d modes\n", len(Variants()), len(Modes()))
		return err
	}
	fmt.Fprintf(w, "FAIL  %d of %d were missed\n", missed, len(t.Outcomes))
	if !t.cleanPasses() {
		fmt.Fprintln(w, "FAIL  the build that does not leak is not PASS")
	}
	return nil
}
