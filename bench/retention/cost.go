package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/retention/drive"
	"github.com/lethe-relay/lethe/bench/suite"
)

var errCost = errors.New("lockdown and wiping cost more than they may")

func costCommand() *cobra.Command {
	var seconds float64
	var rounds int
	var file string
	var check bool
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Measure what lockdown and wiping cost",
		Long: `Measure throughput and the relay's CPU time by turns in one run: of the relay as it is
released, locked down; and of a build without lockdown which neither wipes nor wakes to
wipe, and collects nothing that has ended.

Exit codes: 0 done, 1 more than 5 %, with --check, 2 wrong usage, 3 no result.`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if seconds < 0.1 || seconds > 600 || rounds < 1 || rounds > 1000 {
				return usage(errors.New("--seconds must be between 0.1 and 600, and --rounds between 1 and 1000"))
			}
			return usage(writable(file))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "lethe-retention-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			release, err := build(cmd, filepath.Join(dir, "release"))
			if err != nil {
				return err
			}
			tagged, err := build(cmd, filepath.Join(dir, "tagged"), "-tags", leakTag)
			if err != nil {
				return err
			}
			report := suite.NewReport(shown(os.Args[1:]))
			o := suite.Options{
				Interval: time.Duration(seconds * float64(time.Second)), Rounds: rounds, Progress: suite.NewProgress(cmd.ErrOrStderr(), 0),
			}
			scenario := drive.Cost(release, tagged)
			o.Progress.Plan([]suite.Scenario{scenario}, o)
			result, err := suite.Run(cmd.Context(), scenario, o)
			if err != nil {
				return err
			}
			report.Scenarios = append(report.Scenarios, result)
			if err := result.WriteTable(cmd.OutOrStdout()); err != nil {
				return err
			}
			if file != "" {
				if err := report.WriteFile(file); err != nil {
					return err
				}
			}
			if check && !result.Pass() {
				return errCost
			}
			return nil
		},
	}
	cmd.Flags().Float64Var(&seconds, "seconds", 3, "length of each measurement")
	cmd.Flags().IntVar(&rounds, "rounds", 7, "how often each line is measured")
	cmd.Flags().StringVar(&file, "json", "", "file to write figures and machine to")
	cmd.Flags().BoolVar(&check, "check", false, "exit with 1 when it is more than 5 %")
	return cmd
}
