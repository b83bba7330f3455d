package programs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/bench/suite"
)

// patience is how long a program that was interrupted may take to end.
const patience = 10 * time.Second

// program is a package with a main function, and where its module is.
type program struct {
	dir string
	pkg string
}

// run builds the program and runs it with args and --json FILE, and reads that
// file into result. A program that has written its result may exit with any
// code: its judgement is in there.
func (p program) run(ctx context.Context, o suite.Options, result any, args ...string) error {
	scratch, err := os.MkdirTemp("", "lethe-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	binary, file := filepath.Join(scratch, "program"), filepath.Join(scratch, "result.json")
	o.Progress.Say("building")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, p.pkg)
	build.Dir = p.dir
	if out, err := build.CombinedOutput(); err != nil {
		if why := p.noModules(ctx); why != "" && ctx.Err() == nil {
			return suite.Skip("its modules can't be had: %s", why)
		}
		return fmt.Errorf("build %s: %w\n%s", p.pkg, err, out)
	}
	cmd := exec.CommandContext(ctx, binary, append(args, "--json", file)...)
	cmd.Dir = p.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	last, ended := follow(cmd, o.Progress)
	data, err := os.ReadFile(file)
	if err != nil {
		return errors.Join(ended, errors.New(last))
	}
	return json.Unmarshal(data, result)
}

// noModules says why a module that the program needs can't be had, or nothing.
func (p program) noModules(ctx context.Context) string {
	download := exec.CommandContext(ctx, "go", "mod", "download")
	download.Dir = p.dir
	out, err := download.CombinedOutput()
	if err == nil {
		return ""
	}
	why, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return strings.TrimPrefix(why, "go: ")
}

// follow runs the program and tells what it prints on stderr, of which it
// returns the last line: it says why, where there is no result.
func follow(cmd *exec.Cmd, progress *suite.Progress) (last string, err error) {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if line := strings.TrimSpace(string(bytes.ToValidUTF8(lines.Bytes(), nil))); line != "" {
			last = line
			progress.Say(line)
		}
	}
	return last, cmd.Wait()
}
