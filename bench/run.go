package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/lethe-relay/lethe/bench/suite"
)

// The short form, where flags don't say otherwise.
const (
	shortSeconds = 0.5
	shortRounds  = 2
)

type flags struct {
	seconds     float64
	rounds      int
	short, full bool
	json, plots string
	profiles    string
	check       bool
}

func (f *flags) define(set *pflag.FlagSet) {
	set.Float64Var(&f.seconds, "seconds", 3, "length of each measurement; as long again at most to warm up")
	set.IntVar(&f.rounds, "rounds", 5, "how often each line is measured")
	set.BoolVar(&f.short, "short", false, "a moment of each line, and nothing that takes long")
	set.BoolVar(&f.full, "full", false, "the whole audit of retention, some two minutes, in place of the quick one")
	set.StringVar(&f.json, "json", "", "file to write figures and machine to")
	set.StringVar(&f.plots, "plots", "", "folder for a picture of each scenario, as PNG")
	set.StringVar(&f.profiles, "profile", "", "folder for a CPU profile of each process, from the last round; profiling costs time")
	set.BoolVar(&f.check, "check", false, "exit with 1 when a bar is not reached, or was not measured")
}

// complete fills in what the short form is, and tells what is wrong before
// anything is measured.
func (f *flags) complete(cmd *cobra.Command) error {
	if f.short && !cmd.Flags().Changed("seconds") {
		f.seconds = shortSeconds
	}
	if f.short && !cmd.Flags().Changed("rounds") {
		f.rounds = shortRounds
	}
	switch {
	case f.seconds < 0.1 || f.seconds > 600:
		return errors.New("--seconds must be between 0.1 and 600")
	case f.rounds < 1 || f.rounds > 1000:
		return errors.New("--rounds must be between 1 and 1000")
	}
	if dir, err := os.Stat(filepath.Dir(f.json)); err != nil || !dir.IsDir() {
		return fmt.Errorf("--json: there is no folder %s", filepath.Dir(f.json))
	}
	return nil
}

func (f *flags) options() suite.Options {
	return suite.Options{
		Interval: time.Duration(f.seconds * float64(time.Second)),
		Rounds:   f.rounds,
		Short:    f.short,
		Full:     f.full,
		Profiles: f.profiles,
	}
}

func run(cmd *cobra.Command, names []string, f flags) error {
	for _, dir := range []string{f.profiles, f.plots} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	var chosen []suite.Scenario
	for _, s := range scenarios() {
		if len(names) == 0 || slices.Contains(names, s.Name) {
			chosen = append(chosen, s)
		}
	}
	report := suite.NewReport(os.Args[1:])
	failed := measure(cmd.Context(), cmd.ErrOrStderr(), chosen, f.options(), report)
	return errors.Join(failed, finish(cmd.OutOrStdout(), report, f))
}

// measure runs scenarios into the report, and tells stderr how it goes. One that
// fails does not keep the others from being measured: its result says why, and so
// does the error. An interrupt ends all.
func measure(ctx context.Context, stderr io.Writer, chosen []suite.Scenario, o suite.Options, report *suite.Report) error {
	o.Progress = suite.NewProgress(stderr, width(stderr))
	o.Progress.Plan(chosen, o)
	defer o.Progress.Clear()
	var failed error
	for _, s := range chosen {
		result, err := suite.Run(ctx, s, o)
		failed = errors.Join(failed, err)
		report.Scenarios = append(report.Scenarios, result)
		if ctx.Err() != nil {
			break
		}
	}
	if failed != nil {
		report.Failed = failed.Error()
	}
	return failed
}

// width is that of the terminal, or 0 if w is none.
func width(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// finish prints and writes what was measured, and only then judges.
func finish(w io.Writer, report *suite.Report, f flags) error {
	if err := report.WriteTables(w); err != nil {
		return err
	}
	if f.json != "" {
		if err := report.WriteFile(f.json); err != nil {
			return err
		}
	}
	if f.plots != "" {
		if err := report.WritePNGs(f.plots); err != nil {
			return err
		}
	}
	if f.check && slices.ContainsFunc(report.Scenarios, func(r *suite.Result) bool { return !r.Pass() }) {
		return errBar
	}
	return nil
}
