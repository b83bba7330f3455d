package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/hostcheck"
	"github.com/lethe-relay/lethe/relay"
)

func doctorCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [--config FILE]",
		Short: "Check the machine for what the relay itself can't hold",
		Long: `Check the machine that a relay runs on, or is to run on, for what the relay itself
can't hold: swap, hibernation, core dumps, crash kernels, logs, other programs that
watch. With --config it also looks at the relay's files and port, and asks the relay
that runs with them whether its controls are in force. Nothing is changed.

It prints one line for each finding, with how to mend it: "bad" is what can put what
the relay holds on a disk or in other hands, or keeps it from running; "advice" is worth
knowing. What could not be looked at is said, too: as root it sees most.

Exit codes: 0 nothing was found, 1 something was, 2 wrong usage.`,
		Example: `  lethe-relay doctor
  lethe-relay doctor --config /etc/lethe/relay.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report := hostcheck.Run(cmd.Context(), host(path))
			if asJSON {
				if err := cli.PrintJSON(cmd, report); err != nil {
					return err
				}
			} else {
				printReport(cmd.OutOrStdout(), report)
			}
			return verdict(report)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the relay's configuration, relay.yaml, if it has one yet")
	cmd.MarkFlagFilename("config", "yaml")
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// host is this machine, with the relay whose configuration is at path, if any.
func host(path string) *hostcheck.Host {
	h := &hostcheck.Host{Root: os.DirFS("/"), Environ: os.Environ(), Kernel: hostcheck.ThisKernel{}}
	if path == "" {
		return h
	}
	h.Relay.Config = path
	cfg, err := relay.LoadConfig(path)
	if err != nil {
		h.Relay.ConfigErr = err
		return h
	}
	h.Relay.Listen, h.Relay.AdminTCP, h.Relay.Lockdown = cfg.Listen, cfg.AdminTCP(), cfg.Lockdown
	for _, secret := range []string{cfg.Key, cfg.CertificateKey} {
		if secret != "" && !filepath.IsAbs(secret) {
			secret = filepath.Join(filepath.Dir(path), secret)
		}
		if secret != "" {
			h.Relay.Secrets = append(h.Relay.Secrets, secret)
		}
	}
	h.Relay.Ask = func(ctx context.Context) (*hostcheck.State, error) {
		r, err := cfg.AskRetention(ctx)
		if err != nil {
			return nil, err
		}
		return &hostcheck.State{Mode: r.Mode, Controls: r.Controls}, nil
	}
	return h
}

func printReport(w io.Writer, r *hostcheck.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%-7s %s: %s. To mend it: %s\n", f.Level, f.Check, f.What, f.Mend)
	}
	for _, n := range r.NotChecked {
		fmt.Fprintf(w, "%-7s %s: not checked: %s\n", "?", n.Check, n.Why)
	}
	if len(r.Good) > 0 {
		fmt.Fprintf(w, "%-7s %s\n", "good", strings.Join(r.Good, ", "))
	}
}

// verdict is the error that gives the exit code.
func verdict(r *hostcheck.Report) error {
	bad := 0
	for _, f := range r.Findings {
		if f.Level == hostcheck.Bad {
			bad++
		}
	}
	switch advice := len(r.Findings) - bad; {
	case bad > 0:
		return fmt.Errorf("%d of %d findings are bad: mend those first", bad, len(r.Findings))
	case advice > 0:
		return errors.New("nothing bad was found, but there is advice above")
	}
	return nil
}
