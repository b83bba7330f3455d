package main

import (
	"slices"
	"testing"

	"github.com/lethe-relay/lethe/bench/retention/verdict"
	"github.com/lethe-relay/lethe/internal/cli"
)

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--gigabytes", "0"}, {"--sessions", "1"}, {"--lockdown", "maybe"}, {"--pid", "1"}, {"audit", "--speed", "9"}, {"more"},
		{"cost", "--rounds", "0"}, {"soak", "--minutes", "0"}, {"leaks", "file"},
	} {
		cmd := command()
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%q are taken", args)
		}
	}
}

// TestShown: a report has neither the token nor a place on this machine in it.
func TestShown(t *testing.T) {
	got := shown([]string{"audit", "--url", "lethe://secret", "--json=/tmp/x", "--quick", "--png", "/tmp/y"})
	if want := []string{"audit", "--url", "…", "--json=…", "--quick", "--png", "…"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestExitCodes(t *testing.T) {
	for v, want := range map[verdict.Verdict]int{verdict.Fail: cli.ExitFailed, verdict.Invalid: exitInvalid} {
		if got := codeOf(outcome(v)); got != want {
			t.Errorf("%s: %d", v, got)
		}
	}
	if outcome(verdict.Pass) != nil {
		t.Error("PASS is an error")
	}
}
