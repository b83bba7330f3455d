package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/guard"
	"github.com/lethe-relay/lethe/bench/programs"
	"github.com/lethe-relay/lethe/bench/suite"
)

// What the guard measures: as little as gives values that do not jump.
const (
	guardInterval = 500 * time.Millisecond
	guardRounds   = 5
	renewRounds   = 7 // they are what all others are compared with

	allocationRuns = 100 // of each hot function
)

// committed is the file of committed values, in the source tree.
const committed = "bench/results/guard.json"

// guardCommand compares with committed values.
func guardCommand() *cobra.Command {
	var against string
	var renew bool
	cmd := &cobra.Command{
		Use:   "guard",
		Short: "Compare with committed ratios, and fail if something has become worse",
		Long: `Measure ratios and allocations and compare them with committed ones, each with
a tolerance of its own. What is worse is measured again before it counts.
Better is never a failure.

Exit codes: 0 nothing is worse, 1 something is, or it failed, 2 wrong usage.`,
		Args: cobra.NoArgs,
		Example: `  go run ./bench guard
  go run ./bench guard --renew     # after a change that is meant: commit the file, and say why`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root, err := programs.Root(cmd.Context())
			if err != nil {
				return err
			}
			if against == "" {
				against = filepath.Join(root, committed)
			}
			if renew {
				return renewGuard(cmd, root, against)
			}
			return checkGuard(cmd, root, against)
		},
	}
	cmd.Flags().StringVar(&against, "against", "", "file of committed values (default "+committed+" of the source tree)")
	cmd.Flags().BoolVar(&renew, "renew", false, "measure longer, and write the file in place of comparing with it")
	return cmd
}

func checkGuard(cmd *cobra.Command, root, path string) error {
	file, err := guard.ReadFile(path)
	if err != nil {
		return err
	}
	rows, err := guard.Check(cmd.Context(), file.Values, guard.Watched(), measureValues(cmd.ErrOrStderr(), root, guardRounds))
	if err != nil {
		return err
	}
	if err := guard.WriteTable(cmd.OutOrStdout(), rows); err != nil {
		return err
	}
	if err := guard.Failure(rows); err != nil {
		return fmt.Errorf("%w\nIf that is meant: go run ./bench guard --renew, and commit %s with the reason", err, path)
	}
	return nil
}

func renewGuard(cmd *cobra.Command, root, path string) error {
	if dir, err := os.Stat(filepath.Dir(path)); err != nil || !dir.IsDir() {
		return fmt.Errorf("--against: there is no folder %s", filepath.Dir(path))
	}
	values, err := measureValues(cmd.ErrOrStderr(), root, renewRounds)(cmd.Context(), nil)
	if err != nil {
		return err
	}
	return guard.WriteFile(path, guard.File{Report: suite.NewReport(os.Args[1:]), Values: values})
}

// measureValues measures the lines that the values need and, if any of theirs is
// among them, the hot functions.
func measureValues(stderr io.Writer, root string, rounds int) guard.Measure {
	return func(ctx context.Context, names []string) (guard.Values, error) {
		watched, values := guard.Watched(), make(guard.Values)
		if names != nil {
			watched = slices.DeleteFunc(watched, func(w guard.Watch) bool { return !slices.Contains(names, w.Name()) })
		}
		if names == nil || slices.ContainsFunc(names, guard.IsFunction) {
			fmt.Fprintln(stderr, "the hot functions")
			allocations, err := guard.Functions(ctx, root, allocationRuns)
			if err != nil {
				return nil, err
			}
			maps.Copy(values, allocations)
		}
		report := new(suite.Report)
		if err := measure(ctx, stderr, needed(watched), suite.Options{Interval: guardInterval, Rounds: rounds}, report); err != nil {
			return nil, err
		}
		for _, result := range report.Scenarios {
			of, err := guard.Of(watched, result)
			if err != nil {
				return nil, err
			}
			maps.Copy(values, of)
		}
		return values, nil
	}
}

// needed are the scenarios with the lines that are needed.
func needed(watched []guard.Watch) (chosen []suite.Scenario) {
	for _, s := range scenarios() {
		if only, ok := guard.Only(watched, s); ok {
			chosen = append(chosen, only)
		}
	}
	return chosen
}
