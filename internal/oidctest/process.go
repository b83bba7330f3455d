package oidctest

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childWord is the first argument of a process that is a provider; the second is its client.
const childWord = "oidc-provider"

// Main makes the process a provider if its arguments, without the program's
// name, say so; it then returns when its standard input has ended, with which
// its parent ends it, even by dying. Tests that call [StartProcess] call it first
// of all in TestMain.
func Main(args []string) (exit int, child bool) {
	if len(args) != 2 || args[0] != childWord {
		return 0, false
	}
	slog.SetLogLoggerLevel(slog.LevelError) // the library logs each request that it refuses
	p, server, err := serve(args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	defer server.Close()
	fmt.Println(p.Issuer())
	io.Copy(io.Discard, os.Stdin)
	return 0, true
}

// StartProcess runs a provider as a process of its own, which is this program
// started again, for the rest of the test.
func StartProcess(t testing.TB, clientID string) (issuer string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], childWord, clientID)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Wait() }) // t.Context has ended then, and killed it
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider's process does not say where it is: %v", err)
	}
	return strings.TrimSpace(line)
}
