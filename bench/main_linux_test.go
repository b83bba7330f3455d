package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/guard"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/suite"
)

func TestMain(m *testing.M) {
	if exit, child := proc.Main(os.Args[1:], part.All()); child {
		os.Exit(exit)
	}
	os.Exit(m.Run())
}

// TestBulk: every line gives every figure that its columns and bars need.
func TestBulk(t *testing.T) {
	result, profiles := measureOnce(t, "bulk")
	if len(result.Bars) != 3 || len(result.Lines) != 8 {
		t.Fatalf("not eight lines and three bars: %+v", result)
	}
	for _, line := range result.Lines {
		wantFigures(t, line, "gbit_per_s", "vs_direct")
		if line.Name != "direct stock" {
			wantFigures(t, line, "relay_cpu_s_per_gb", "datagrams_per_message", "lost_percent")
		}
	}
	wantProfile(t, profiles, "bulk-relayed-down-relay.pprof")
}

// TestEndpoint: the same; what is relayed has a relay's figures, too.
func TestEndpoint(t *testing.T) {
	result, _ := measureOnce(t, "endpoint")
	if len(result.Bars) != 3 || len(result.Lines) != 5 {
		t.Fatalf("not five lines and three bars: %+v", result)
	}
	for _, line := range result.Lines {
		wantFigures(t, line, "gbit_per_s", "cpu_vs_direct", "sender_allocs_per_packet", "receiver_allocs_per_packet")
		if line.Name != "direct stock" {
			wantFigures(t, line, "cpu_vs_stock", "relay_cpu_s_per_gb")
		}
	}
}

// TestOpen: the same; that each line's devices were let in or refused, as they
// should be, the parts themselves see to.
func TestOpen(t *testing.T) {
	result, profiles := measureOnce(t, "open")
	if len(result.Bars) != 2 || len(result.Lines) != 7 {
		t.Fatalf("not seven lines and two bars: %+v", result)
	}
	for _, line := range result.Lines {
		wantFigures(t, line, "opens_per_s", "opens_per_relay_core_s", "relay_cpu_ms_per_open", "relay_cores",
			"devices_cpu_ms_per_open", "router_cpu_ms_per_open", "open_p50_ms", "open_p99_ms")
		if line.Name != "open, one by one" {
			wantFigures(t, line, "vs_grant_only")
		}
	}
	wantProfile(t, profiles, "open-dial-all-evidence-router.pprof")
	wantProfile(t, profiles, "open-open-all-evidence-relay.pprof")
}

// TestSwarm: the same; the largest line has as many sessions as a relay takes.
func TestSwarm(t *testing.T) {
	result, profiles := measureOnce(t, "swarm")
	if len(result.Bars) != 1 || len(result.Lines) != 4 {
		t.Fatalf("not four lines and one bar: %+v", result)
	}
	for _, line := range result.Lines {
		wantFigures(t, line, "datagrams_per_s_per_core", "datagrams_per_s", "relay_cpu_us_per_datagram", "vs_fewest",
			"messages_per_read", "lost_percent")
	}
	wantProfile(t, profiles, "swarm-10000-sessions-ends.pprof")
}

// TestLatency: the same; the loads have a figure of their own.
func TestLatency(t *testing.T) {
	result, profiles := measureOnce(t, "latency")
	if len(result.Bars) != 2 || len(result.Lines) != 6 {
		t.Fatalf("not six lines and two bars: %+v", result)
	}
	for _, line := range result.Lines {
		wantFigures(t, line, "through_p50_us", "direct_p50_us", "added_p50_us", "added_p99_us", "added_p999_us", "lost_percent", suite.RealTime)
		if strings.HasSuffix(line.Name, "load") {
			wantFigures(t, line, "load_percent")
		}
	}
	wantProfile(t, profiles, "latency-greedy-prober.pprof")
}

// TestFailureEndsNothingElse: what fails is in the report, beside what is measured after it.
func TestFailureEndsNothingElse(t *testing.T) {
	line := func(err error) []suite.Line {
		return []suite.Line{{Name: "l", Measure: func(context.Context, suite.Env) (suite.Sample, error) { return suite.Sample{"x": 1}, err }}}
	}
	broken := errors.New("no luck")
	chosen := []suite.Scenario{{Name: "a", Lines: line(broken)}, {Name: "b", Lines: line(nil)}}
	report := new(suite.Report)
	err := measure(t.Context(), new(bytes.Buffer), chosen, suite.Options{Rounds: 1}, report)
	if !errors.Is(err, broken) || report.Failed != "a: l: no luck" || len(report.Scenarios) != 2 {
		t.Fatalf("%v, %+v", err, report)
	}
	if a, b := report.Scenarios[0], report.Scenarios[1]; a.Failed != report.Failed || b.Failed != "" || len(b.Lines[0].Rounds) != 1 {
		t.Errorf("%+v, %+v", a, b)
	}
}

// measureOnce measures everything of a scenario once, for a moment. What the
// figures are is not judged.
func measureOnce(t *testing.T, scenario string) (result *suite.Result, profiles string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts some twenty processes")
	}
	dir := t.TempDir()
	file, profiles, plots := filepath.Join(dir, "r.json"), filepath.Join(dir, "profiles"), filepath.Join(dir, "plots")
	var out, progress bytes.Buffer
	cmd := command()
	cmd.SetOut(&out)
	cmd.SetErr(&progress)
	cmd.SetArgs([]string{scenario, "--rounds", "1", "--seconds", "0.5", "--json", file, "--plots", plots, "--profile", profiles})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	report, err := suite.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Scenarios) != 1 {
		t.Fatalf("not one scenario: %+v", report)
	}
	if picture, err := os.ReadFile(filepath.Join(plots, scenario+".png")); err != nil || !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Errorf("no picture: %v", err)
	}
	wantShown(t, file, out.String())
	for _, line := range report.Scenarios[0].Lines {
		if !strings.Contains(out.String(), line.Name) || !strings.Contains(progress.String(), line.Name) {
			t.Errorf("%s: is not in the table, or not in the progress", line.Name)
		}
	}
	return report.Scenarios[0], profiles
}

// wantShown checks that a report shows what the run has printed.
func wantShown(t *testing.T, file, printed string) {
	t.Helper()
	var out bytes.Buffer
	cmd := command()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"show", file})
	if err := cmd.ExecuteContext(t.Context()); err != nil || out.String() != printed {
		t.Errorf("%v, shown is\n%s\nand was printed\n%s", err, out.String(), printed)
	}
}

// wantFigures checks that a line has these figures, of which the first is more
// than nothing.
func wantFigures(t *testing.T, line suite.LineResult, figures ...string) {
	t.Helper()
	for _, figure := range figures {
		if _, measured := line.Median[figure]; !measured {
			t.Errorf("%s: has no %s", line.Name, figure)
		}
	}
	if line.Median[figures[0]] <= 0 {
		t.Errorf("%s: no %s at all", line.Name, figures[0])
	}
}

func wantProfile(t *testing.T, dir, name string) {
	t.Helper()
	if written, _ := filepath.Glob(filepath.Join(dir, "*.pprof")); !slices.Contains(written, filepath.Join(dir, name)) {
		t.Errorf("profiles: %v", written)
	}
}

// TestScenarios: every bar speaks of lines that there are.
func TestScenarios(t *testing.T) {
	for _, s := range scenarios() {
		if s.Elsewhere != nil {
			continue // its lines are known when it has been measured
		}
		lines := make(map[string]bool)
		for _, line := range s.Lines {
			lines[line.Name] = true
		}
		for _, bar := range s.Bars {
			for _, line := range bar.Lines {
				if !lines[line] {
					t.Errorf("%s: bar %q is about line %q, which there is not", s.Name, bar.What, line)
				}
			}
		}
	}
}

func TestWrongUsage(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "no", "folder")
	for _, args := range [][]string{{"bulge"}, {"--json", nowhere}, {"show"}, {"show", nowhere}, {"--rounds", "0"}, {"--seconds", "0"}, {"--seconds", "601"}, {"bulk", "--speed", "9"}} {
		cmd := command()
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%q are taken", args)
		}
	}
}

// TestShortCheck: what the short form has no place for is not reached.
func TestShortCheck(t *testing.T) {
	var out bytes.Buffer
	cmd := command()
	cmd.SetOut(&out)
	cmd.SetErr(new(bytes.Buffer))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"peers", "--short", "--check"})
	if err := cmd.ExecuteContext(t.Context()); !errors.Is(err, errBar) {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(out.String(), "SKIP  bulk, CPU-s/GB of the relay, at most 0.20: not in the short form\n") {
		t.Errorf("no bar in\n%s", out.String())
	}
}

// TestGuardFindsOut: before anything is measured it is told what is missing.
func TestGuardFindsOut(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "no", "guard.json")
	guardWith := func(args ...string) error {
		cmd := command()
		cmd.SetErr(new(bytes.Buffer))
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(append([]string{"guard"}, args...))
		return cmd.ExecuteContext(t.Context())
	}
	for _, args := range [][]string{{"--against", nowhere}, {"--against", nowhere, "--renew"}} {
		if err := guardWith(args...); err == nil || !strings.Contains(err.Error(), filepath.Dir(nowhere)) {
			t.Errorf("%q: %v", args, err)
		}
	}
	t.Chdir(t.TempDir())
	if err := guardWith(); err == nil || !strings.Contains(err.Error(), "source tree") {
		t.Errorf("outside of the source tree: %v", err)
	}
}

// TestWatched: what the guard watches is of lines that there are, all of which
// it would measure, and nothing else.
func TestWatched(t *testing.T) {
	lines := make(map[string]bool)
	for _, s := range needed(guard.Watched()) {
		for _, line := range s.Lines {
			lines[s.Name+": "+line.Name] = true
		}
	}
	for _, w := range guard.Watched() {
		of := w.Of
		if of == "" {
			of = w.Line
		}
		for _, line := range []string{w.Scenario + ": " + w.Line, w.Scenario + ": " + of} {
			if !lines[line] {
				t.Errorf("%s: there is no line %q", w.Name(), line)
			}
		}
	}
	if one := needed(guard.Watched()[:1]); len(one) != 1 || len(one[0].Lines) != 2 {
		t.Errorf("for one value: %+v", one)
	}
}

// TestCompletion: a shell is offered the scenarios' names.
func TestCompletion(t *testing.T) {
	var out bytes.Buffer
	cmd := command()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"__complete", ""})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios() {
		if !strings.Contains(out.String(), s.Name+"\t"+s.About+"\n") {
			t.Errorf("%s is not offered: %s", s.Name, out.String())
		}
	}
}

// TestShort: the short form is short, unless flags say otherwise.
func TestShort(t *testing.T) {
	for _, c := range []struct {
		args    []string
		seconds float64
		rounds  int
	}{
		{nil, 3, 5}, {[]string{"--short"}, shortSeconds, shortRounds}, {[]string{"--short", "--rounds", "9", "--seconds", "2"}, 2, 9},
	} {
		var f flags
		cmd := &cobra.Command{}
		f.define(cmd.Flags())
		if err := errors.Join(cmd.ParseFlags(c.args), f.complete(cmd)); err != nil || f.seconds != c.seconds || f.rounds != c.rounds {
			t.Errorf("%q: %+v, %v", c.args, f, err)
		}
	}
}
