// Command retention audits a relay from outside: does it keep anything of what
// it carries?
//
//	go run ./bench/retention [audit]   the audit, with a report as text, JSON and picture
//	go run ./bench/retention leaks     builds that leak on purpose: each has to be refused or caught
//	go run ./bench/retention cost      what lockdown and wiping cost
//	go run ./bench/retention soak      the lockdown over a long time at load
//
// It imports none of the relay's own packages. What both use is the wire's formats, its
// sockets, keys and grants (internal/wire, internal/udpio, auth); it knows the SDK and the
// relay's command line. It needs root, and Linux. bench/README.md says how to read what
// it prints.
//
//	retention      flags and printing
//	├── drive      the relay, the load, the order of things
//	├── canary     what is planted, and how it is found again
//	├── observe    the detectors
//	├── verdict    what it comes to
//	└── leaks      the table of detector × leak
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/retention/drive"
	"github.com/lethe-relay/lethe/bench/retention/verdict"
	"github.com/lethe-relay/lethe/internal/cli"
)

// exitInvalid is the exit code of whatever comes to no result: 1 says that something was found.
const exitInvalid = 3

var (
	errFail    = errors.New("the audit has found something, see the report")
	errInvalid = errors.New("the audit is invalid: it proves nothing, see the report")

	// errInterrupted is not [context.Canceled], for which package cli has an exit code of its own.
	errInterrupted = errors.New("interrupted, without a result")
)

func main() {
	if exit, child := proc.Main(os.Args[1:], drive.Parts()); child {
		os.Exit(exit)
	}
	os.Exit(cli.Run(command(), codeOf))
}

func codeOf(err error) int {
	for _, bad := range []error{errFail, errMissed, errCost, errSoak} {
		if errors.Is(err, bad) {
			return cli.ExitFailed
		}
	}
	return exitInvalid
}

// usage says that an error is one of the flags.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &cli.UsageError{Err: err}
}

func command() *cobra.Command {
	root := auditCommand()
	root.Use = "retention"
	root.AddCommand(auditCommand(), leaksCommand(), costCommand(), soakCommand())
	for _, cmd := range append(root.Commands(), root) {
		run := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			err := run(cmd, args)
			if ctx := cmd.Context(); ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))) {
				return errInterrupted
			}
			return err
		}
	}
	return root
}

// build builds a relay into a folder, as a release is built.
func build(cmd *cobra.Command, dir string, flags ...string) (binary string, err error) {
	binary = filepath.Join(dir, "lethe-relay")
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", binary}, flags...)
	compile := exec.CommandContext(cmd.Context(), "go", append(args, "github.com/lethe-relay/lethe/cmd/lethe-relay")...)
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := compile.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the relay: %w\n%s", err, out)
	}
	return binary, nil
}

// outcome turns a verdict into an exit code.
func outcome(v verdict.Verdict) error {
	switch v {
	case verdict.Fail:
		return errFail
	case verdict.Invalid:
		return errInvalid
	}
	return nil
}
