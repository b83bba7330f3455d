package cli

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/lethe-relay/lethe/tunnel/service"
)

// PrintDevices prints a router's paired devices as a table.
func PrintDevices(w io.Writer, devices []service.DeviceInfo) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DEVICE\tNAME\tROLE\tPAIRED\tGRANT UNTIL")
	for _, d := range devices {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", d.ID.Short(), Printable(d.Name), Printable(string(d.Role)),
			d.PairedAt.Local().Format(time.DateOnly), d.Expires.Local().Format(time.DateOnly))
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
