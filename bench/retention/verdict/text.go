package verdict

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	e := &writer{w: w}
	r.writeHead(e)
	r.writeGroups(e)
	r.writeScans(e)
	r.writeDetectors(e)
	e.line("")
	e.line("Not checked")
	for _, what := range r.NotChecked {
		e.line("  - %s", what)
	}
	return e.err
}

// writer remembers the first error, so that the report reads as what it writes.
type writer struct {
	w   io.Writer
	err error
}

func (e *writer) line(format string, args ...any) {
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.w, format+"\n", args...)
	}
}

// table writes rows whose cells are separated by tabs.
func (e *writer) table(rows []string) {
	t := tabwriter.NewWriter(e.w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintf(t, "  %s\n", row)
	}
	if err := t.Flush(); e.err == nil {
		e.err = err
	}
}

func (r *Report) writeHead(e *writer) {
	but := ""
	if n := r.hindered(); n > 0 {
		but = fmt.Sprintf("; %d of %d detectors could not look at everything", n, len(r.Detectors))
	}
	e.line("%s  zero retention, audited from outside%s", r.Verdict, but)
	for _, why := range r.Why {
		e.line("  %s", why)
	}
	e.line("")
	sessions := 0
	for _, g := range r.Groups {
		sessions += g.Ended
	}
	e.line("%.1f GB relayed, %.1f GB of it checked byte by byte at the far end, %d sessions opened and closed, in %.0f s",
		gigabytes(r.Done.Relayed), gigabytes(r.Done.Checked), sessions, r.Seconds)
	e.line("relay      sha256 %s, %s, lockdown %s%s", r.Relay.SHA256, r.Relay.Go, r.Relay.Lockdown, r.Relay.controls())
	e.line("machine    Linux %s, %s, %d processors, %s", r.Machine.Kernel, r.Machine.System, r.Machine.CPUs, r.Machine.CPUModel)
	e.line("time       %s", r.Time.Format(time.RFC3339))
	e.line("nonce      %s", r.Nonce)
	e.line("flags      %s", strings.Join(r.Flags, " "))
}

// controls sums up what the relay says of its lockdown.
func (r Relay) controls() string {
	if len(r.Controls) == 0 {
		return ""
	}
	var missing []string
	for _, c := range r.Controls {
		if !c.InForce {
			missing = append(missing, c.Name)
		}
	}
	if len(missing) == 0 {
		return fmt.Sprintf(", all %d controls in force", len(r.Controls))
	}
	return ", not in force: " + strings.Join(missing, ", ")
}

func (r *Report) writeGroups(e *writer) {
	e.line("")
	e.line("Sessions")
	rows := []string{"way\topened\tended\tblocks planted\thow"}
	for _, g := range r.Groups {
		rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%d\t%s", g.Way, g.Sessions, g.Ended, g.Planted, g.About))
	}
	e.table(rows)
}

// writeScans shows found / planted for each level.
func (r *Report) writeScans(e *writer) {
	e.line("")
	e.line("Found in the relay's memory, so many times (of so many looked for)")
	head := "at\tsessions\twhen"
	for _, l := range Levels() {
		head += "\t" + string(l)
	}
	rows := []string{head + "\tcopied"}
	for _, s := range r.Scans {
		row := fmt.Sprintf("%.0f s\t%s\t%s", s.At, s.Way, s.when())
		for _, l := range Levels() {
			row += "\t" + s.cell(l)
		}
		rows = append(rows, row+fmt.Sprintf("\t%d MB in %d ms", s.Bytes>>20, s.Took.Milliseconds()))
	}
	e.table(rows)
	e.line("  Claimed, to be 0: payload and ciphertext of sessions that are over, plaintext always. Identifiers are reported.")
	for _, s := range r.Scans {
		for _, place := range s.Places {
			e.line("  %.0f s: %s", s.At, place)
		}
	}
}

func (s Scan) when() string {
	switch s.Moment {
	case Live:
		return "mid-session"
	case Cut:
		return fmt.Sprintf("ends gone %.1f s", s.After.Seconds())
	}
	return fmt.Sprintf("closed %.1f s", s.After.Seconds())
}

func (s Scan) cell(l Level) string {
	c := s.Count(l)
	if c.Planted == 0 && c.Found == 0 {
		return "–"
	}
	mark := ""
	if c.Claimed && c.Found > 0 {
		mark = " !"
	}
	return fmt.Sprintf("%d (%s)%s", c.Found, short(c.Planted), mark)
}

// short writes a large number with three digits or so.
func short(n uint64) string {
	switch {
	case n >= 10_000_000_000:
		return fmt.Sprintf("%d G", n/1_000_000_000)
	case n >= 10_000_000:
		return fmt.Sprintf("%d M", n/1_000_000)
	case n >= 10_000:
		return fmt.Sprintf("%d k", n/1_000)
	}
	return fmt.Sprint(n)
}

func (r *Report) writeDetectors(e *writer) {
	e.line("")
	e.line("Detectors")
	for _, d := range r.Detectors {
		state := "nothing"
		switch {
		case len(d.Findings) > 0:
			state = fmt.Sprintf("%d found", len(d.Findings))
		case len(d.NotChecked) > 0:
			state = "not all checked"
		}
		e.line("  %-13s %s", d.Name, state)
		for _, f := range d.Findings {
			e.line("                ! %s", f)
		}
		for _, n := range d.Notes {
			e.line("                  %s", n)
		}
	}
}
