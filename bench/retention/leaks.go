package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/retention/leaks"
	"github.com/lethe-relay/lethe/bench/retention/verdict"
	"github.com/lethe-relay/lethe/bench/suite"
)

var errMissed = errors.New("a leak was missed, see the table")

// leakTag is the build tag that puts the leaks into the relay.
const leakTag = "lethe_leak"

func leaksCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "leaks",
		Short: "Audit builds that leak on purpose",
		Long: `Build a relay that can leak, and audit it with each of its leaks, with the kernel's
lockdown and without. Each has to be refused by the kernel or caught by a detector.

Exit codes: 0 none was missed, 1 one was, or the build that does not leak is not PASS,
2 wrong usage, 3 no result.`,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return usage(writable(file)) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "lethe-retention-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			began := suite.NewReport(shown(os.Args[1:]))
			binary, err := build(cmd, dir, "-tags", leakTag)
			if err != nil {
				return err
			}
			table, err := leaks.Run(cmd.Context(), binary, dir, func(what string) { fmt.Fprintln(cmd.ErrOrStderr(), what) })
			if err != nil {
				return err
			}
			if err := table.WriteText(cmd.OutOrStdout()); err != nil {
				return err
			}
			if file != "" {
				if err := writeFile(file, func(w io.Writer) error { return writeJSON(w, about(began, table)) }); err != nil {
					return err
				}
			}
			if !table.OK() {
				return errMissed
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "json", "", "file to write the outcomes to")
	return cmd
}

// tried is the table, and of what, when and where it is.
type tried struct {
	Commit   string          `json:"commit"`   // empty outside of a repository
	Modified bool            `json:"modified"` // there was more than the commit
	Time     time.Time       `json:"time"`     // of the beginning
	Go       string          `json:"go"`
	Flags    []string        `json:"flags"`
	Machine  verdict.Machine `json:"machine"`
	*leaks.Table
}

// about says of what, when and where a table is.
func about(r *suite.Report, table *leaks.Table) tried {
	return tried{
		Commit: r.Commit, Modified: r.Modified, Time: r.Time, Go: r.Go, Flags: r.Flags,
		Machine: verdict.Machine{Kernel: r.Kernel, System: r.System, CPUs: r.CPUs, CPUModel: r.CPUModel}, Table: table,
	}
}
