package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/bulk"
	"github.com/lethe-relay/lethe/bench/endpoint"
	"github.com/lethe-relay/lethe/bench/opens"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/suite"
	"github.com/lethe-relay/lethe/internal/cli"
)

var errBar = errors.New("a bar is not reached")

func main() {
	if exit, child := proc.Main(os.Args[1:], part.All()); child {
		os.Exit(exit)
	}
	os.Exit(cli.Run(command(), nil))
}

// scenarios are all that there are, in the order in which they run.
func scenarios() []suite.Scenario {
	return []suite.Scenario{bulk.Scenario(), endpoint.Scenario(), opens.Scenario()}
}

type flags struct {
	seconds  float64
	rounds   int
	json     string
	profiles string
	check    bool
}

func command() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "bench [SCENARIO…]",
		Short: "Measure what Lethe costs on this machine",
		Long: `Measure what Lethe costs on this machine, on loopback. Without a name all
scenarios run. bench/README.md says what the lines mean.

Exit codes: 0 done, 1 failed or, with --check, a bar is not reached, 2 wrong usage.`,
		Example: "  go run ./bench bulk --seconds 3 --rounds 5 --json result.json",
		Args:    cobra.OnlyValidArgs,
		RunE:    func(cmd *cobra.Command, names []string) error { return run(cmd, names, f) },
	}
	for _, s := range scenarios() {
		cmd.ValidArgs = append(cmd.ValidArgs, s.Name+"\t"+s.About)
	}
	cmd.Flags().Float64Var(&f.seconds, "seconds", 3, "length of each measurement; as long again at most to warm up")
	cmd.Flags().IntVar(&f.rounds, "rounds", 5, "how often each line is measured")
	cmd.Flags().StringVar(&f.json, "json", "", "file to write figures and machine to")
	cmd.Flags().StringVar(&f.profiles, "profile", "", "folder for a CPU profile of each process, from the last round; profiling costs time")
	cmd.Flags().BoolVar(&f.check, "check", false, "exit with 1 when a bar is not reached")
	cmd.PreRunE = func(*cobra.Command, []string) error { return f.validate() }
	return cmd
}

func (f flags) validate() error {
	switch {
	case f.seconds < 0.1 || f.seconds > 600:
		return errors.New("--seconds must be between 0.1 and 600")
	case f.rounds < 1 || f.rounds > 1000:
		return errors.New("--rounds must be between 1 and 1000")
	}
	return nil
}

func run(cmd *cobra.Command, names []string, f flags) error {
	report := suite.NewReport(os.Args[1:])
	options := suite.Options{
		Interval: time.Duration(f.seconds * float64(time.Second)),
		Rounds:   f.rounds,
		Profiles: f.profiles,
		Progress: func(what string) { fmt.Fprintln(cmd.ErrOrStderr(), what) },
	}
	if f.profiles != "" {
		if err := os.MkdirAll(f.profiles, 0o755); err != nil {
			return err
		}
	}
	for _, s := range scenarios() {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		result, err := suite.Run(cmd.Context(), s, options)
		if err != nil {
			return err
		}
		report.Scenarios = append(report.Scenarios, result)
	}
	return finish(cmd, report, f)
}

// finish prints and writes what was measured, and only then judges.
func finish(cmd *cobra.Command, report *suite.Report, f flags) error {
	pass := true
	for _, result := range report.Scenarios {
		fmt.Fprintln(cmd.OutOrStdout())
		if err := result.WriteTable(cmd.OutOrStdout()); err != nil {
			return err
		}
		pass = pass && result.Pass()
	}
	if f.json != "" {
		if err := report.WriteFile(f.json); err != nil {
			return err
		}
	}
	if f.check && !pass {
		return errBar
	}
	return nil
}
