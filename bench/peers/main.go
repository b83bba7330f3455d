package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/peers/ends"
	"github.com/lethe-relay/lethe/bench/peers/server"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/suite"
	"github.com/lethe-relay/lethe/internal/cli"
)

var errBar = errors.New("a bar is not reached, or was not measured")

func main() {
	if exit, child := proc.Main(os.Args[1:], parts()); child {
		os.Exit(exit)
	}
	os.Exit(cli.Run(command(), nil))
}

// parts are what the processes do.
func parts() map[string]func() proc.Part {
	all := part.All()
	maps.Copy(all, server.Parts())
	all[ends.Part] = ends.New
	all[part.RelayPart] = server.WithPID(all[part.RelayPart])
	return all
}

type flags struct {
	seconds float64
	rounds  int
	json    string
	check   bool
}

func command() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:     "peers",
		Short:   "Compare Lethe with other relays on this machine",
		Long:    "Compare Lethe with other relays on this machine, on loopback. bench/README.md says what the\ncolumns mean.",
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return f.validate() },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd, f) },
	}
	cmd.Flags().Float64Var(&f.seconds, "seconds", 3, "length of each measurement; as long again at most to warm up")
	cmd.Flags().IntVar(&f.rounds, "rounds", 5, "how often each relay is measured")
	cmd.Flags().StringVar(&f.json, "json", "", "file to write figures and machine to")
	cmd.Flags().BoolVar(&f.check, "check", false, "exit with 1 when a bar is not reached, or was not measured")
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

func run(cmd *cobra.Command, f flags) error {
	report := suite.NewReport(os.Args[1:])
	result, failed := measure(cmd.Context(), suite.Options{
		Interval: time.Duration(f.seconds * float64(time.Second)),
		Rounds:   f.rounds,
		Progress: suite.NewProgress(cmd.ErrOrStderr(), 0),
	})
	report.Scenarios = append(report.Scenarios, result)
	if err := report.WriteTables(cmd.OutOrStdout()); err != nil {
		return errors.Join(failed, err)
	}
	if f.json != "" {
		if err := report.WriteFile(f.json); err != nil {
			return errors.Join(failed, err)
		}
	}
	if failed != nil {
		return failed
	}
	if f.check && !result.Pass() {
		return errBar
	}
	return nil
}

// measure runs the scenario. Its notes say which versions were measured. What has
// failed is in the result, too.
func measure(ctx context.Context, o suite.Options) (*suite.Result, error) {
	s := scenario()
	o.Progress.Plan([]suite.Scenario{s}, o)
	defer o.Progress.Clear()
	result, err := suite.Run(ctx, s, o)
	result.Notes = append(result.Notes, notes(server.Versions(ctx))...)
	return result, err
}

// notes say which versions were measured.
func notes(versions map[string]string) (notes []string) {
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		notes = append(notes, name+" "+versions[name])
	}
	return notes
}
