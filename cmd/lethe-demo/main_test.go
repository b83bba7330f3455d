package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/demo"
)

// beProgram makes this test binary the program itself.
const beProgram = "LETHE_DEMO_TEST_BE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the program with its temporary files in tmp.
func program(t *testing.T, tmp string, args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd, stderr = exec.CommandContext(ctx, os.Args[0], args...), new(bytes.Buffer)
	cmd.Env = append(os.Environ(), beProgram+"=1", "TMPDIR="+tmp)
	cmd.Stderr = stderr
	return cmd, stderr
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestExit(t *testing.T) {
	for _, tc := range []struct {
		args, tmp string
		code      int
		out, err  string // patterns; empty: nothing is printed there
	}{
		{"--help", "", 0, `lethe-demo --once --json\n`, ""},
		{"--json", "", 2, "", `^lethe-demo: --json is about the summary of --once: give both; see 'lethe-demo --help'\n$`},
		{"now", "", 2, "", `^lethe-demo: unknown command "now" .*\n$`},
		{"--twice", "", 2, "", `^lethe-demo: unknown flag: --twice; .*\n$`},
		{"--once", "nowhere", 1, "", `^lethe-demo: there is no room for temporary files: .*; set TMPDIR to a directory that can be written\n$`},
	} {
		t.Run(tc.args, func(t *testing.T) {
			cmd, stderr := program(t, filepath.Join(t.TempDir(), tc.tmp), strings.Fields(tc.args)...)
			stdout, _ := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, printed := range []struct{ got, want string }{{string(stdout), tc.out}, {stderr.String(), tc.err}} {
				if printed.want == "" && printed.got != "" || !regexp.MustCompile(printed.want).MatchString(printed.got) {
					t.Errorf("printed %q, want %q", printed.got, printed.want)
				}
			}
		})
	}
}

func TestOnceJSON(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("it moves 512 MiB, which the race detector makes slow; TestOnce of internal/demo moves less")
	}
	tmp := t.TempDir()
	cmd, stderr := program(t, tmp, "--once", "--json")
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v, %s", err, stderr)
	}
	wantEmpty(t, tmp)
	in := json.NewDecoder(bytes.NewReader(stdout))
	in.DisallowUnknownFields()
	var sum demo.Summary
	if err := in.Decode(&sum); err != nil || in.More() {
		t.Fatalf("%v in %s", err, stdout)
	}
	if sum.Download.Bytes != demo.DefaultBytes || sum.Upload.Bytes != demo.DefaultBytes || sum.Search.WireFound != 0 {
		t.Errorf("got %s", stdout)
	}
}

// TestSignals: the demo ends cleanly on a signal.
func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			tmp := t.TempDir()
			cmd, stderr := program(t, tmp)
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stdout)
			last := ""
			for lines.Scan() {
				if last = lines.Text(); strings.HasPrefix(last, "throughput ") {
					cmd.Process.Signal(signal)
				}
			}
			if err := cmd.Wait(); err != nil || !strings.HasPrefix(last, "ended; ") || strings.Contains(stderr.String(), "lethe-demo:") {
				t.Errorf("%v, %q, %s", err, last, stderr)
			}
			wantEmpty(t, tmp)
		})
	}
}

// TestBrokenPipe: when nobody reads any more the demo fails, and removes its files all the same.
func TestBrokenPipe(t *testing.T) {
	tmp := t.TempDir()
	cmd, stderr := program(t, tmp)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	cmd.Stdout = write
	cmd.Run()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "broken pipe") {
		t.Errorf("%v, %s", cmd.ProcessState, stderr)
	}
	wantEmpty(t, tmp)
}
