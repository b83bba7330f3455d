package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/conf"
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func logCommand() *cobra.Command {
	var path string
	var since conf.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "log --config FILE [DEVICE]",
		Short: "Show what was decided about devices, and why",
		Long: `Show the router's decisions: when, about which device, what, and for what reasons. Names
of networks and places are not among them. DEVICE is a name, an ID, or the first group of
that; one that has left the list is named by its whole ID. The agent must be running.`,
		Example: `  lethe-agent log --config /etc/lethe/agent.yaml
  lethe-agent log --config /etc/lethe/agent.yaml anna-phone --since 7d`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			entries, err := decisions(cmd, path, strings.Join(args, ""), time.Duration(since))
			if err != nil {
				return err
			}
			if asJSON {
				return cli.PrintJSON(cmd, entries)
			}
			if len(entries) == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "nothing was decided in that time")
				return nil
			}
			answer, err := manage(cmd, path, service.ManageRequest{Do: "devices"})
			if err != nil {
				return err
			}
			return printLog(cmd.OutOrStdout(), entries, namesOf(answer.Devices))
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().TextVar(&since, "since", conf.Duration(0), "leave out what is older, as 24h or 7d; default: show all")
	cmd.Flags().Lookup("since").DefValue = ""
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// decisions are those that are not too old; never nil.
func decisions(cmd *cobra.Command, path, device string, since time.Duration) ([]journal.Entry, error) {
	answer, err := manage(cmd, path, service.ManageRequest{Do: "log", Device: device})
	if err != nil {
		return nil, err
	}
	entries := []journal.Entry{}
	if err := json.Unmarshal(answer.Log, &entries); err != nil {
		return nil, fmt.Errorf("the agent's log can't be read: %w; it may be of another version than this command", err)
	}
	if since > 0 {
		from := time.Now().Add(-since)
		entries = slices.DeleteFunc(entries, func(e journal.Entry) bool { return e.At.Before(from) })
	}
	return append([]journal.Entry{}, entries...), nil
}

// names are those of devices. One that has left the list goes by its ID.
type names map[auth.DeviceID]string

func namesOf(devices []service.DeviceInfo) names {
	n := make(names)
	for _, d := range devices {
		n[d.ID] = cli.Printable(d.Name)
	}
	return n
}

func (n names) of(id auth.DeviceID) string {
	if id == (auth.DeviceID{}) {
		return "-"
	}
	return cmp.Or(n[id], id.Short())
}

func printLog(w io.Writer, entries []journal.Entry, n names) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WHEN\tDEVICE\tWHAT\tVERDICT\tSCORE\tWHY")
	for _, e := range entries {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", e.At.Local().Format(time.DateTime), n.of(e.Device), what(e, n),
			cmp.Or(cli.Printable(e.Verdict), "-"), score(e), cmp.Or(why(e.Reasons), "-"))
	}
	return table.Flush()
}

// what happened, and who caused it if that is not plain.
func what(e journal.Entry, n names) string {
	text := cli.Printable(strings.ReplaceAll(string(e.Event), "_", " "))
	switch {
	case e.Event == journal.Opened:
		text = "session"
	case e.Event == journal.Moved:
		text = "session, moved"
	case e.ByForgotten:
		text += " by a forgotten device"
	case e.By == e.Device && (e.Event == journal.Confirmed || e.Event == journal.ConfirmFailed):
		text += " by PIN"
	case e.By != auth.DeviceID{}:
		text += " by " + n.of(e.By)
	}
	if e.Times > 1 {
		text += fmt.Sprintf(", %d times", e.Times)
	}
	return text
}

func score(e journal.Entry) string {
	if e.Needed == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", e.Score, e.Needed)
}

// why says in plain words what stood in the way.
func why(codes []string) string {
	var texts []string
	for _, r := range ecv.ParseReasons(strings.Join(codes, ",")) {
		if _, state, ok := cli.ReasonState(r); !ok || state != ecv.Matched {
			texts = append(texts, cli.Printable(cli.ReasonText(r)))
		}
	}
	return strings.Join(texts, "; ")
}
