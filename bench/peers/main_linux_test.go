package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/suite"
)

func TestMain(m *testing.M) {
	if exit, child := proc.Main(os.Args[1:], parts()); child {
		os.Exit(exit)
	}
	os.Exit(m.Run())
}

// TestRun: every relay that is here gives every figure of its works, and those that
// are not are named in the table. What the figures are is not judged.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some eighty processes")
	}
	file := filepath.Join(t.TempDir(), "r.json")
	var out, progress bytes.Buffer
	cmd := command()
	cmd.SetOut(&out)
	cmd.SetErr(&progress)
	cmd.SetArgs([]string{"--rounds", "1", "--seconds", "0.1", "--json", file})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	report, err := suite.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	result := report.Scenarios[0]
	if !strings.Contains(strings.Join(result.Notes, "\n"), "pion/turn v") {
		t.Errorf("no versions: %q", result.Notes)
	}
	for i, l := range lines() {
		measured := result.Lines[i]
		if measured.Name != l.name || !strings.Contains(out.String(), l.name) {
			t.Errorf("line %d is %s, want %s; or it is not in the table", i, measured.Name, l.name)
		}
		if measured.Skipped == "" {
			wantFigures(t, l, measured.Median)
		}
	}
}

func wantFigures(t *testing.T, l line, got suite.Sample) {
	t.Helper()
	want := []string{delayP50, delayP99}
	if _, measured := got[suite.RealTime]; !measured {
		t.Errorf("%s: does not say whether it was in real time", l.name)
	}
	if l.name != noneUDP && l.name != noneTCP {
		want = append(want, bulkGbit, bulkCPU, idleKB, addedP50)
		if !l.kind.Stream() {
			want = append(want, swarmFigure(few, "per_cpu_s"), swarmFigure(many, "per_cpu_s"))
		}
	}
	for _, figure := range want {
		if value, measured := got[figure]; !measured || value <= 0 && figure != addedP50 {
			t.Errorf("%s: %s is %v, measured: %v", l.name, figure, value, measured)
		}
	}
}

func TestDerive(t *testing.T) {
	sample := func(bulk, swarm, delay float64) suite.Sample {
		return suite.Sample{bulkGbit: bulk, swarmFigure(many, "per_cpu_s"): swarm, delayP50: delay, delayP99: 2 * delay}
	}
	round := map[string]suite.Sample{
		lethe: sample(40, 300, 90), coturnPeer: sample(2, 200, 80), coturnClients: sample(1, 100, 120),
		pionPeer: {}, pionClients: {}, derper: {}, // skipped
		strelaysrv: {bulkGbit: 16, delayP50: 100, delayP99: 101},
		noneUDP:    {delayP50: 30, delayP99: 40}, noneTCP: {delayP50: 20, delayP99: 25},
	}
	derive(round)
	for _, want := range []struct {
		line, figure string
		value        float64
	}{
		{lethe, bulkOfCoturn, 40}, {lethe, swarmFigure(many, "vs_coturn"), 3}, {lethe, addedP50, 60}, {lethe, addedP99, 140},
		{lethe, addedOfPeer, 1.2}, // 60 of 50, coturn's
		{coturnPeer, addedP50, 50}, {coturnClients, bulkOfCoturn, 1}, {strelaysrv, bulkOfCoturn, 16}, {strelaysrv, addedP50, 80},
		{noneUDP, addedP50, 0},
	} {
		if got, ok := round[want.line][want.figure]; !ok || math.Abs(got-want.value) > 1e-9 {
			t.Errorf("%s: %s is %v, %v, want %v", want.line, want.figure, got, ok, want.value)
		}
	}
	for _, absent := range []struct{ line, figure string }{{pionPeer, bulkOfCoturn}, {derper, addedP50}, {strelaysrv, swarmFigure(many, "vs_coturn")}} {
		if got, ok := round[absent.line][absent.figure]; ok {
			t.Errorf("%s: has %s, %v", absent.line, absent.figure, got)
		}
	}
}

// TestDeriveAlone: without coturn nothing is said of it.
func TestDeriveAlone(t *testing.T) {
	round := map[string]suite.Sample{lethe: {bulkGbit: 40, delayP50: 90}, noneUDP: {delayP50: 30}}
	for _, l := range lines() {
		if round[l.name] == nil {
			round[l.name] = suite.Sample{}
		}
	}
	derive(round)
	if got, ok := round[lethe][bulkOfCoturn]; ok {
		t.Errorf("%v times nothing", got)
	}
	if got, ok := round[lethe][addedOfPeer]; ok {
		t.Errorf("%v of nobody's", got)
	}
}

// TestScenario: every bar speaks of lines that there are, and of a figure of theirs.
func TestScenario(t *testing.T) {
	s := scenario()
	var names []string
	for _, l := range s.Lines {
		names = append(names, l.Name)
	}
	figures := []string{bulkCPU, bulkOfCoturn, addedOfPeer, swarmFigure(many, "vs_coturn")}
	for _, bar := range s.Bars {
		if !slices.Contains(figures, bar.Figure) {
			t.Errorf("bar %q is about figure %q, which there is not", bar.What, bar.Figure)
		}
		for _, name := range bar.Lines {
			if !slices.Contains(names, name) {
				t.Errorf("bar %q is about line %q, which there is not", bar.What, name)
			}
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"bulk"}, {"--rounds", "0"}, {"--seconds", "0"}, {"--seconds", "601"}, {"--speed", "9"}} {
		cmd := command()
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%q are taken", args)
		}
	}
}
