// Command retention audits a relay from outside: does it keep anything of what
// it carries?
//
//	go run ./bench/retention [audit]   the audit, with a report as text, JSON and picture
//	go run ./bench/retention leaks     builds that leak on purpose: each has to be refused or caught
//	go run ./bench/retention cost      what lockdown and wiping cost
//	go run ./bench/retention soak      the lockdown over a long time at load
//
// It shares no code with the relay: it knows the wire, the SDK and the relay's
// command line. It needs root, and Linux. bench/README.md says how to read what
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

// exitInvalid is the exit code of an audit that proves nothing.
const exitInvalid = 3

var (
	errFail    = errors.New("the audit has found something, see the report")
	errInvalid = errors.New("the audit is invalid: it proves nothing, see the report")
)

func main() {
	if exit, child := proc.Main(os.Args[1:], drive.Parts()); child {
		os.Exit(exit)
	}
	os.Exit(cli.Run(command(), codeOf))
}

func codeOf(err error) int {
	if errors.Is(err, errInvalid) {
		return exitInvalid
	}
	return cli.ExitFailed
}

func command() *cobra.Command {
	root := auditCommand()
	root.Use = "retention"
	root.AddCommand(auditCommand(), leaksCommand(), costCommand(), soakCommand())
	return root
}

// build builds a relay into a folder.
func build(cmd *cobra.Command, dir string, flags ...string) (binary string, err error) {
	binary = filepath.Join(dir, "lethe-relay")
	args := append([]string{"build", "-o", binary}, flags...)
	out, err := exec.CommandContext(cmd.Context(), "go", append(args, "github.com/lethe-relay/lethe/cmd/lethe-relay")...).CombinedOutput()
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
