package environment

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"
)

const (
	runTime   = time.Second            // for a program to answer; each takes some milliseconds
	closeTime = 100 * time.Millisecond // for what it started to let go of its output
	maxOutput = 256 << 10              // bytes; room for some thousand access points
)

// run returns what a program on PATH prints, and nothing if it does not end well
// and in time or prints too much. A program in the current folder is not run.
func run(ctx context.Context, program string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	var out bounded
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C") // "yes", not "ja"
	cmd.Stdout = &out
	cmd.WaitDelay = closeTime
	if cmd.Run() != nil {
		return ""
	}
	return out.text.String()
}

// bounded keeps up to maxOutput bytes, then refuses: the program's next write fails.
type bounded struct{ text strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > maxOutput {
		return 0, errors.New("too much output")
	}
	return b.text.Write(p)
}
