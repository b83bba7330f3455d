package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/relay"
)

func statusCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status --config FILE",
		Short: "Show how the running relay is, and what keeps it from retaining anything",
		Long: `Ask the relay that runs with this configuration how it is, and have it check now
whether each control against retention is in force: it tries what must fail, or
reads back what the kernel holds. Nobody is named.

Exit codes: 0 zero retention is enforced, 1 it is not or the relay does not answer,
2 wrong usage.`,
		Example: "  lethe-relay status --config /etc/lethe/relay.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := relay.LoadConfig(path)
			if err != nil {
				return err
			}
			retention, err := cfg.AskRetention(cmd.Context())
			if err != nil {
				return err
			}
			status, err := cfg.AskStatus(cmd.Context())
			if err != nil {
				return err
			}
			if err := printStatus(cmd, asJSON, status, retention); err != nil {
				return err
			}
			return retentionError(retention)
		},
	}
	configFlag(cmd, &path)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// retentionError gives the exit code, for scripts and probes.
func retentionError(r *relay.Retention) error {
	if r.InForce {
		return nil
	}
	return fmt.Errorf("zero retention is not enforced (lockdown: %s): mend what is not in force, and have lockdown: require in relay.yaml", r.Mode)
}

func printStatus(cmd *cobra.Command, asJSON bool, s *relay.Status, r *relay.Retention) error {
	if asJSON {
		return cli.PrintJSON(cmd, struct {
			*relay.Status
			Retention *relay.Retention `json:"retention"`
		}{s, r})
	}
	return printStatusText(cmd.OutOrStdout(), s, r)
}

func printStatusText(w io.Writer, s *relay.Status, r *relay.Retention) error {
	fmt.Fprintf(w, "lethe-relay %s, running since %s\n", s.Version, local(s.Started))
	fmt.Fprintf(w, "routers %d, sessions %d, bound legs %d; forwarded %d datagrams, %d bytes\n", s.Routers, s.Sessions, s.BoundLegs, s.Datagrams, s.Bytes)
	if s.Certificate.Files {
		fmt.Fprintf(w, "certificate from files, until %s\n", local(s.Certificate.Expires))
	} else {
		fmt.Fprintln(w, "certificate of its own, which clients pin")
	}
	fmt.Fprintf(w, "zero retention %s (lockdown: %s), checked %s\n", enforced(r), r.Mode, local(r.At))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range r.Controls {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", inForce(c), c.Name, verified(c))
	}
	return table.Flush()
}

// enforced is the state in a few words. What may be missing is named.
func enforced(r *relay.Retention) string {
	switch missing := r.NotInForce(); {
	case !r.InForce:
		return "NOT ENFORCED"
	case len(missing) > 0:
		return "enforced, but for " + strings.Join(missing, ", ")
	}
	return "enforced"
}

func inForce(c lockdown.Control) string {
	if c.InForce {
		return "in force"
	}
	return "NOT in force"
}

// verified says how, and how to mend what is not in force.
func verified(c lockdown.Control) string {
	if c.InForce || c.Mend == "" {
		return c.How
	}
	return c.How + "; to mend it: " + c.Mend
}

func local(t time.Time) string { return t.Local().Format(time.DateTime) }
