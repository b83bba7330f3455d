package e2e

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestInterrupt: a command that waits for a relay that has stopped says that it
// is under way, and ends when it is told to, without blaming the relay.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	h.pair(ctx)
	if err := h.relay.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer h.relay.cmd.Process.Signal(syscall.SIGCONT)
	args := h.letheCommand("phone", "status", "home")
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "asking home") {
		t.Errorf("it says %q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(lines)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || string(rest) != "lethe: interrupted\n" {
		t.Errorf("exit code %d, %q", code, rest)
	}
}
