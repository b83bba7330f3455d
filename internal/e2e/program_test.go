//go:build linux

package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	stopTimeout = 15 * time.Second // from SIGTERM to the end of a process
	lastOutput  = 5 * time.Second  // from the end of a process to the end of its output
)

// A program is a process that runs beside the test.
type program struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	stdout *transcript
	stderr *transcript
	exited chan struct{} // closed when the process is gone and its output is whole
	ours   bool          // one of the three: its exit code matters
}

// start starts a program that goes on until the end of the test, when it has
// to end on SIGTERM.
func start(t *testing.T, ctx context.Context, command ...string) *program {
	t.Helper()
	p := &program{
		t: t, name: strings.Join(command, " "), cmd: exec.CommandContext(ctx, command[0], command[1:]...),
		stdout: newTranscript(), stderr: newTranscript(), exited: make(chan struct{}), ours: isOurs(command),
	}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.Cancel = func() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }
	p.cmd.WaitDelay = lastOutput
	p.cmd.SysProcAttr = ownGroup()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.cleanup)
	go func() {
		p.cmd.Wait() // the state says how
		close(p.exited)
	}()
	return p
}

// isOurs finds one of our programs in a command, which may begin with 'ip netns exec'.
func isOurs(words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		return word == "lethe" || word == "lethe-agent" || word == "lethe-relay"
	})
}

// ownGroup makes a process the head of a group, by which its children are
// found, and ends it when the test ends in any way at all.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func (p *program) cleanup() {
	select {
	case <-p.exited:
	default:
		p.stop(syscall.SIGTERM)
	}
	if p.t.Failed() {
		p.t.Logf("--- %s\n%s%s", p.name, p.stdout, p.stderr)
	}
}

// stop sends a signal and sees that the process ends as it should.
func (p *program) stop(signal syscall.Signal) {
	p.t.Helper()
	p.cmd.Process.Signal(signal)
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-p.exited:
	case <-timeout.C:
		p.t.Errorf("%s goes on %v after %v", p.name, stopTimeout, signal)
		p.kill()
		return
	}
	if code := p.cmd.ProcessState.ExitCode(); p.ours && code != 0 {
		p.t.Errorf("%s ended with exit code %d (%v) after %v", p.name, code, p.cmd.ProcessState, signal)
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		p.t.Errorf("%s left a process behind", p.name)
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// kill ends the process without asking it.
func (p *program) kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
}

// wait waits until the process ends by itself, and returns its exit code.
func (p *program) wait(ctx context.Context) int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-ctx.Done():
		p.t.Fatalf("%s goes on", p.name)
		return -1
	}
}

// ready waits for the line that says that the program serves, and returns what it says.
func (p *program) ready(ctx context.Context) string {
	p.t.Helper()
	return strings.TrimPrefix(p.prints(ctx, p.stdout, 0, "ready "), "ready ")
}

// prints waits for a line with part in it, behind a mark of one of its outputs.
func (p *program) prints(ctx context.Context, out *transcript, from int, part string) string {
	p.t.Helper()
	line, ok := out.line(ctx, from, part, p.exited)
	if !ok {
		p.t.Fatalf("%s did not print %q", p.name, part)
	}
	return line
}

// A result is what became of a command that has ended.
type result struct {
	command        string
	stdout, stderr string
	code           int
}

// run runs a command to its end.
func run(t *testing.T, ctx context.Context, command ...string) result {
	t.Helper()
	return runWith(t, ctx, "", command...)
}

// runWith gives the command something to read.
func runWith(t *testing.T, ctx context.Context, stdin string, command ...string) result {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.WaitDelay = lastOutput
	cmd.SysProcAttr = ownGroup()
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s: %v %v\n%s", cmd, err, ctx.Err(), &stderr)
	}
	return result{cmd.String(), stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must runs a command that has to succeed, and returns what it prints.
func must(t *testing.T, ctx context.Context, command ...string) string {
	t.Helper()
	r := run(t, ctx, command...)
	if r.code != 0 {
		t.Fatalf("%s: exit code %d\n%s%s", r.command, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// refused sees that a command has failed as all of ours do: with this exit
// code, nothing on stdout, and one sentence on stderr that has these parts.
// Lines that end with … show progress.
func (r result) refused(t *testing.T, code int, parts ...string) {
	t.Helper()
	var sentences []string
	for line := range strings.Lines(r.stderr) {
		if !strings.HasSuffix(line, "…\n") {
			sentences = append(sentences, line)
		}
	}
	if r.code != code || r.stdout != "" || len(sentences) != 1 {
		t.Errorf("%s: exit code %d, want %d with one line on stderr\n%s%s", r.command, r.code, code, r.stdout, r.stderr)
		return
	}
	for _, part := range parts {
		if !strings.Contains(sentences[0], part) {
			t.Errorf("%s: says nothing of %q:\n%s", r.command, part, sentences[0])
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
