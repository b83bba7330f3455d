package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"

	"github.com/lethe-relay/lethe/bench/retention/leaks"
	"github.com/lethe-relay/lethe/bench/retention/verdict"
	"github.com/lethe-relay/lethe/bench/suite"
	"github.com/lethe-relay/lethe/internal/cli"
)

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--gigabytes", "0"}, {"--sessions", "1"}, {"--lockdown", "maybe"}, {"--pid", "1"}, {"audit", "--speed", "9"}, {"more"},
		{"--sessions", "0"}, {"--gigabytes", "-1"}, {"--pid", "0", "--url", "lethe://127.0.0.1:9", "--admin", "x"},
		{"--pid", "1", "--url", "https://127.0.0.1:9", "--admin", "x"}, {"--pid", "1", "--url", "lethe://a.name:9", "--admin", "x"},
		{"cost", "--rounds", "0"}, {"soak", "--minutes", "0"}, {"leaks", "file"},
	} {
		if code := exitOf(args...); code != cli.ExitUsage {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
}

// exitOf is the exit code of a command line.
func exitOf(args ...string) int {
	cmd := command()
	cmd.SetArgs(args)
	return cli.Run(cmd, codeOf)
}

// TestNoResult: what keeps a command from having a result does not accuse the relay.
func TestNoResult(t *testing.T) {
	nobody := filepath.Join(t.TempDir(), "nobody")
	for _, args := range [][]string{
		{"--relay", nobody}, {"soak", "--relay", nobody},
		{"--pid", strconv.Itoa(os.Getpid()), "--url", "lethe://127.0.0.1:9", "--admin", nobody},
	} {
		if code := exitOf(args...); code != exitInvalid {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
}

// TestInterrupted: an audit that was interrupted has found nothing.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cmd := command()
	cmd.SetArgs([]string{"soak"})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.ExecuteContext(ctx); err == nil || errors.Is(err, context.Canceled) || codeOf(err) != exitInvalid {
		t.Errorf("%v: exit code %d", err, codeOf(err))
	}
}

// TestOutputsFirst: a result that could not be written is told before the work,
// and telling it changes no file.
func TestOutputsFirst(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "no", "folder")
	for _, args := range [][]string{
		{"--json", nowhere}, {"audit", "--text", nowhere}, {"audit", "--png", nowhere},
		{"leaks", "--json", nowhere}, {"cost", "--json", nowhere}, {"soak", "--json", nowhere},
	} {
		if code := exitOf(args...); code != cli.ExitUsage {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
	old, fresh := filepath.Join(t.TempDir(), "old"), filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(old, []byte("a result"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writable(old, "", fresh); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(old); err != nil || string(data) != "a result" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := os.Stat(fresh); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was left behind: %v", err)
	}
}

// TestBuild: what is audited is built as a release is.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the relay")
	}
	cmd := command()
	cmd.SetContext(t.Context())
	binary, err := build(cmd, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []debug.BuildSetting{{Key: "-trimpath", Value: "true"}, {Key: "CGO_ENABLED", Value: "0"}} {
		if !slices.Contains(info.Settings, want) {
			t.Errorf("no %s in %v", want, info.Settings)
		}
	}
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Symbols(); !errors.Is(err, elf.ErrNoSymbols) {
		t.Errorf("it has its symbols: %v", err)
	}
}

// TestLeaksFile: the table says of what, when and where it is.
func TestLeaksFile(t *testing.T) {
	var out bytes.Buffer
	if err := writeJSON(&out, about(suite.NewReport([]string{"leaks"}), &leaks.Table{})); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"commit", "modified", "time", "go", "flags", "machine", "clean", "outcomes"} {
		if _, ok := got[key]; !ok {
			t.Errorf("no %q in %s", key, out.Bytes())
		}
	}
	if machine, _ := got["machine"].(map[string]any); machine["kernel"] == "" || machine["cpus"] == 0.0 {
		t.Errorf("the machine is %v", machine)
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
