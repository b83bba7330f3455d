package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
)

// TestTunnelCode: every error of package tunnel has the exit code that the package documentation gives it.
func TestTunnelCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{errors.New("the disk is full"), ExitFailed},
		{context.Canceled, ExitFailed},
		{&tunnel.RefusedError{By: "relay", Code: "router_offline"}, ExitUnreachable},
		{&tunnel.RefusedError{By: "relay", Code: "router_timeout"}, ExitUnreachable},
		{&tunnel.RefusedError{By: "relay", Code: "grant_expired"}, ExitRefused},
		{&tunnel.RefusedError{By: "router", Code: "service_down"}, ExitRefused},
		{&tunnel.RefusedError{By: "router", Code: "of_a_later_version"}, ExitRefused},
		{&auth.KeyMismatchError{Peer: auth.PeerRelay}, ExitRefused},
		{&tunnel.PeerRefusedKeyError{Peer: "router"}, ExitRefused},
		{&tunnel.UntrustedRelayError{Err: errors.New("x")}, ExitRefused},
		{&tunnel.UnreachableError{Err: errors.New("x")}, ExitUnreachable},
		{tunnel.ErrLegNotBound, ExitUnreachable},
	} {
		for _, err := range []error{test.err, fmt.Errorf("status: %w", test.err), errors.Join(test.err, errors.New("more"))} {
			if got := TunnelCode(err); got != test.want {
				t.Errorf("%v: exit code %d, want %d", err, got, test.want)
			}
		}
	}
}

// TestProgress: nothing for two seconds; then a line that counts on a terminal, or one plain line elsewhere.
func TestProgress(t *testing.T) {
	const clear = "\r\x1b[K"
	for _, test := range []struct {
		terminal bool
		takes    time.Duration
		want     string
	}{
		{true, 1900 * time.Millisecond, ""},
		{false, 1900 * time.Millisecond, ""},
		{true, 2100 * time.Millisecond, clear + "pairing… 2 s" + clear},
		{true, 3100 * time.Millisecond, clear + "pairing… 2 s" + clear + "pairing… 2 s" + clear + "pairing… 3 s" + clear},
		{false, 2100 * time.Millisecond, "pairing…\n"},
		{false, time.Minute, "pairing…\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			done := progress(&out, test.terminal, "pairing")
			time.Sleep(test.takes)
			done()
			done() // once more does nothing
			if out.String() != test.want {
				t.Errorf("after %v, terminal %t: %q, want %q", test.takes, test.terminal, out.String(), test.want)
			}
		})
	}
}

func TestEnded(t *testing.T) {
	alive, over := context.Background(), canceled()
	fault := errors.New("fault")
	for _, test := range []struct {
		ctx       context.Context
		err, want error
	}{
		{alive, nil, nil}, {alive, fault, fault}, {alive, context.Canceled, context.Canceled},
		{over, nil, nil}, {over, fmt.Errorf("serve: %w", context.Canceled), nil}, {over, fault, fault},
		{alive, net.ErrClosed, net.ErrClosed}, {over, fmt.Errorf("accept: %w", net.ErrClosed), nil},
	} {
		if got := Ended(test.ctx, test.err); got != test.want {
			t.Errorf("ended %t, %v: %v, want %v", test.ctx.Err() != nil, test.err, got, test.want)
		}
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// program is the environment variable that makes this test binary play a program.
const program = "CLI_TEST_PROGRAM"

// TestMain plays the program of TestRun.
func TestMain(m *testing.M) {
	if os.Getenv(program) == "" {
		os.Exit(m.Run())
	}
	root := &cobra.Command{Use: "prog"}
	wait := &cobra.Command{Use: "wait", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		fmt.Fprintln(cmd.OutOrStdout(), "ready")
		<-cmd.Context().Done()
		return Ended(cmd.Context(), cmd.Context().Err())
	}}
	stuck := &cobra.Command{Use: "stuck", RunE: func(cmd *cobra.Command, _ []string) error {
		fmt.Fprintln(cmd.OutOrStdout(), "ready")
		<-cmd.Context().Done()
		fmt.Fprintln(cmd.OutOrStdout(), "stopping")
		select {}
	}}
	fail := &cobra.Command{Use: "fail", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		return &tunnel.RefusedError{By: "relay", Code: "router_offline"}
	}}
	misuse := &cobra.Command{Use: "misuse", RunE: func(*cobra.Command, []string) error {
		return fmt.Errorf("share: %w", &UsageError{errors.New("--role must be owner, admin or guest")})
	}}
	denied := &cobra.Command{Use: "denied", RunE: func(*cobra.Command, []string) error {
		return &tunnel.RefusedError{By: "relay", Code: "env_denied", Reasons: []ecv.Reason{"account_matched", "wifi_unknown", "country_missing", ecv.ScoreLow}}
	}}
	root.AddCommand(wait, stuck, fail, misuse, denied)
	os.Exit(Run(root, TunnelCode))
}

func command(args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	cmd, stderr = exec.Command(os.Args[0], args...), &bytes.Buffer{}
	cmd.Env = append(os.Environ(), program+"=1")
	cmd.Stderr = stderr
	return cmd, stderr
}

// TestRun: exit codes and sentences of a real process.
func TestRun(t *testing.T) {
	for _, test := range []struct {
		args string
		code int
		want string // the start of stderr, which is one line
	}{
		{"--version", ExitDone, ""},
		{"fail", ExitUnreachable, "prog: the router is not connected to the relay (router_offline): "},
		{"fail --no-such-flag", ExitUsage, "prog: unknown flag: --no-such-flag; see 'prog fail --help'"},
		{"fail argument", ExitUsage, `prog: unknown command "argument" for "prog fail"; see 'prog fail --help'`},
		{"misuse", ExitUsage, "prog: share: --role must be owner, admin or guest; see 'prog misuse --help'"},
		{"denied", ExitRefused, "prog: this device's surroundings are refused (env_denied): 'lethe env ROUTER' shows why [the Wi-Fi is not one that the router knows; the score is too low]\n"},
		{"nothing", ExitUsage, `prog: unknown command "nothing" for "prog"`},
	} {
		cmd, stderr := command(strings.Fields(test.args)...)
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != test.code || !strings.HasPrefix(stderr.String(), test.want) {
			t.Errorf("%s: exit code %d and %q; want %d and %q", test.args, code, stderr, test.code, test.want)
		}
		if lines := strings.Count(stderr.String(), "\n"); test.want != "" && lines != 1 {
			t.Errorf("%s: %d lines on stderr", test.args, lines)
		}
	}
}

// TestSignals: the first signal ends a program cleanly, the second at once.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if state := signalled(t, "wait", sig, "ready"); state.ExitCode() != ExitDone {
			t.Errorf("%v: %v", sig, state)
		}
		state := signalled(t, "stuck", sig, "ready", "stopping")
		if status := state.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != sig {
			t.Errorf("%v twice: %v", sig, state)
		}
	}
}

// signalled runs a program and sends it the signal each time that it says the next word, after the last one until it
// has ended: what the first signal sets off has no time of its own.
func signalled(t *testing.T, name string, sig syscall.Signal, words ...string) *os.ProcessState {
	t.Helper()
	cmd, stderr := command(name)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer deadline.Stop()
	var said []string
	for _, word := range words {
		line := make([]byte, len(word)+1)
		io.ReadFull(stdout, line)
		said = append(said, strings.TrimSpace(string(line)))
		cmd.Process.Signal(sig)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cmd.Wait()
	}()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for len(words) > 1 {
		select {
		case <-again.C:
			cmd.Process.Signal(sig)
			continue
		case <-ended:
		}
		break
	}
	<-ended
	if !slices.Equal(said, words) {
		t.Errorf("%s said %q and %q, want %q", name, said, stderr, words)
	}
	return cmd.ProcessState
}
