package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/retention/drive"
)

var errSoak = errors.New("the soak has found something, see above")

func soakCommand() *cobra.Command {
	var minutes float64
	var binary, file string
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Hold the lockdown at load for a long time",
		Long: `Run a locked relay at full load. Its certificate is renewed each minute, with SIGHUP,
and some sessions are opened and closed. Every ten seconds its metrics are scraped and it
is asked to verify its lockdown, all of which has to be in force. Descriptors and memory
must not grow.

Exit codes: 0 done, 1 something was found, 2 wrong usage, 3 no result.`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if minutes < 0.5 || minutes > 24*60 {
				return usage(errors.New("--minutes must be between 0.5 and 1440"))
			}
			return usage(writable(file))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "lethe-retention-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			var opt drive.Options
			if err := opt.Pin(); err != nil {
				return err
			}
			opt.Launch.Lockdown, opt.Launch.Binary = "require", binary
			if binary == "" {
				if opt.Launch.Binary, err = build(cmd, dir); err != nil {
					return err
				}
			}
			if opt.Launch.Dir, err = os.MkdirTemp(dir, "relay-"); err != nil {
				return err
			}
			result, err := drive.Soak(cmd.Context(), opt.Launch, opt.CPUs, time.Duration(minutes*float64(time.Minute)),
				func(what string) { fmt.Fprintln(cmd.ErrOrStderr(), what) })
			if err != nil {
				return err
			}
			if file != "" {
				if err := writeFile(file, func(w io.Writer) error { return writeJSON(w, result) }); err != nil {
					return err
				}
			}
			return showSoak(cmd, result)
		},
	}
	cmd.Flags().Float64Var(&minutes, "minutes", 30, "how long")
	cmd.Flags().StringVar(&binary, "relay", "", "program of the relay; it is built if none is given")
	cmd.Flags().StringVar(&file, "json", "", "file to write the result to")
	return cmd
}

func showSoak(cmd *cobra.Command, r *drive.Soaked) error {
	fmt.Fprintf(cmd.OutOrStdout(), "%.0f minutes, %.1f GB relayed, %.1f GB checked, %d looks, %d certificates reloaded, %d sessions opened and closed\n",
		r.Minutes, float64(r.Relayed)/1e9, float64(r.Checked)/1e9, len(r.Looks), r.Reloads, r.Sessions)
	if len(r.Failures) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "PASS")
		return nil
	}
	for _, f := range r.Failures {
		fmt.Fprintln(cmd.OutOrStdout(), "FAIL ", f)
	}
	return errSoak
}
