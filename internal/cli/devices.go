package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// minutes is how a time is printed that days are too coarse for.
const minutes = "2006-01-02 15:04"

// PrintDevices prints a router's paired devices as a table.
func PrintDevices(w io.Writer, devices []service.DeviceInfo) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DEVICE\tNAME\tROLE\tSERVICES\tPAIRED\tLAST USED\tGRANT UNTIL\tSHARED BY")
	for _, d := range devices {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.ID.Short(), Printable(d.Name), Printable(string(d.Role)),
			services(d.Services), d.PairedAt.Local().Format(time.DateOnly), lastUsed(d.LastUsed),
			d.Expires.Local().Format(time.DateOnly), sharer(d.SharedBy))
	}
	return table.Flush()
}

// PrintShares prints who has what of a router, with the invitations that are
// still open.
func PrintShares(w io.Writer, devices []service.DeviceInfo, open []service.Invitation) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WHO\tROLE\tSERVICES\tSINCE\tUNTIL\tLAST USED\tBY")
	for _, d := range devices {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", DeviceName(&d), Printable(string(d.Role)), services(d.Services),
			minute(d.PairedAt), minute(d.Expires), lastUsed(d.LastUsed), sharer(d.SharedBy))
	}
	for _, i := range open {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", Printable(i.Name), Printable(string(i.Role)), services(i.Services),
			"invited, to accept by "+minute(i.AcceptBy), minute(i.Until), "never", sharer(i.SharedBy))
	}
	return table.Flush()
}

// PrintWaiting prints the devices that wait for an owner's approval, and why.
func PrintWaiting(w io.Writer, waiting []service.Waiting) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DEVICE\tNAME\tROLE\tWAITS SINCE\tWHY")
	for _, d := range waiting {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", d.ID.Short(), Printable(d.Name), Printable(string(d.Role)),
			minute(d.Since), ReasonTexts(d.Reasons))
	}
	return table.Flush()
}

// DeviceName is how a device is called in a sentence.
func DeviceName(d *service.DeviceInfo) string {
	if d.Name == "" {
		return d.ID.Short()
	}
	return fmt.Sprintf("%s (%s)", Printable(d.Name), d.ID.Short())
}

// services lists names of services, without those that everybody has.
func services(names []string) string {
	if len(names) == 1 && names[0] == auth.AllServices {
		return "all"
	}
	names = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == service.NamePersonal || s == service.NameUnpair })
	return cmp.Or(Printable(strings.Join(names, ",")), "-")
}

func sharer(name string) string { return cmp.Or(Printable(name), "-") }

func minute(t time.Time) string { return t.Local().Format(minutes) }

func lastUsed(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return minute(t)
}
