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

// TestBulk measures everything once, for a moment: every line gives every
// figure that its columns and bars need. What the figures are is not judged.
func TestBulk(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some fifteen processes")
	}
	dir := t.TempDir()
	file, profiles := filepath.Join(dir, "r.json"), filepath.Join(dir, "profiles")
	var out, progress bytes.Buffer
	cmd := command()
	cmd.SetOut(&out)
	cmd.SetErr(&progress)
	cmd.SetArgs([]string{"bulk", "--rounds", "1", "--seconds", "0.2", "--json", file, "--profile", profiles})
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
	if len(report.Scenarios) != 1 || len(report.Scenarios[0].Bars) != 2 || len(report.Scenarios[0].Lines) != 5 {
		t.Fatalf("not one scenario of five lines and two bars: %s", data)
	}
	for _, line := range report.Scenarios[0].Lines {
		want := []string{"gbit_per_s", "vs_direct"}
		if line.Name != "direct stock" {
			want = append(want, "relay_cpu_s_per_gb", "datagrams_per_message", "lost_percent")
		}
		for _, figure := range want {
			if _, measured := line.Median[figure]; !measured {
				t.Errorf("%s: has no %s", line.Name, figure)
			}
		}
		if line.Median["gbit_per_s"] <= 0 {
			t.Errorf("%s: nothing moved", line.Name)
		}
		if !strings.Contains(out.String(), line.Name) || !strings.Contains(progress.String(), line.Name) {
			t.Errorf("%s: is not in the table, or not in the progress", line.Name)
		}
	}
	if written, _ := filepath.Glob(filepath.Join(profiles, "*.pprof")); !slices.Contains(written, filepath.Join(profiles, "relayed-down-relay.pprof")) {
		t.Errorf("profiles: %v", written)
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
