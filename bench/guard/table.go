package guard

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes what each value was and is, and how much worse it may be.
func WriteTable(w io.Writer, rows []Row) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\twas\tis\tchange\tallowed\tvalue")
	for _, r := range rows {
		cells := []string{r.word(), number(r.Was), number(r.Is), r.change(), r.allowed(), r.Name + r.remark()}
		if r.Unknown != "" {
			cells[1], cells[2] = "–", "–"
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

func (r Row) word() string {
	if r.Worse {
		return "WORSE"
	}
	return "ok"
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }

func (r Row) change() string {
	if r.Was == 0 || r.Unknown != "" {
		return "–"
	}
	return fmt.Sprintf("%+.0f %%", 100*(r.Is/r.Was-1))
}

func (r Row) allowed() string {
	switch {
	case r.Tolerance == 0:
		return "none"
	case r.More:
		return fmt.Sprintf("-%.0f %%", 100*r.Tolerance)
	}
	return fmt.Sprintf("%+.0f %%", 100*r.Tolerance)
}

func (r Row) remark() string {
	switch {
	case r.Unknown != "":
		return " (" + r.Unknown + ")"
	case r.Again:
		return fmt.Sprintf(" (at first %s; measured again)", number(r.First))
	}
	return ""
}
