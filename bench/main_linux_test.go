package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
	wantProfile(t, profiles, "relayed-down-relay.pprof")
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

// TestOpens: the same; that each line's devices were allowed or refused, as they
// should be, the part itself sees to.
func TestOpens(t *testing.T) {
	result, profiles := measureOnce(t, "opens")
	if len(result.Bars) != 1 || len(result.Lines) != 3 {
		t.Fatalf("not three lines and one bar: %+v", result)
	}
	for _, line := range result.Lines {
		wantFigures(t, line, "opens_per_s", "vs_grant_only", "relay_cpu_ms_per_open", "devices_cpu_ms_per_open",
			"router_cpu_ms_per_open", "dial_p50_ms", "dial_p99_ms")
	}
	wantProfile(t, profiles, "all-evidence-router.pprof")
}

// measureOnce measures everything of a scenario once, for a moment. What the
// figures are is not judged.
func measureOnce(t *testing.T, scenario string) (result *suite.Result, profiles string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts some fifteen processes")
	}
	dir := t.TempDir()
	file, profiles := filepath.Join(dir, "r.json"), filepath.Join(dir, "profiles")
	var out, progress bytes.Buffer
	cmd := command()
	cmd.SetOut(&out)
	cmd.SetErr(&progress)
	cmd.SetArgs([]string{scenario, "--rounds", "1", "--seconds", "0.5", "--json", file, "--profile", profiles})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report suite.Report
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Scenarios) != 1 {
		t.Fatalf("not one scenario: %s", data)
	}
	for _, line := range report.Scenarios[0].Lines {
		if !strings.Contains(out.String(), line.Name) || !strings.Contains(progress.String(), line.Name) {
			t.Errorf("%s: is not in the table, or not in the progress", line.Name)
		}
	}
	return report.Scenarios[0], profiles
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
	for _, args := range [][]string{{"bulge"}, {"--rounds", "0"}, {"--seconds", "0"}, {"--seconds", "601"}, {"bulk", "--speed", "9"}} {
		cmd := command()
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%q are taken", args)
		}
	}
}
