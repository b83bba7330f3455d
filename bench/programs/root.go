package programs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

const module = "github.com/lethe-relay/lethe"

// Root is the folder of Lethe's source tree, which is there wherever in it this
// program was started. What measures by building needs it.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if root := strings.TrimSpace(string(out)); err == nil && root != "" {
		return root, nil
	}
	if err == nil {
		err = errors.New("it has no folder")
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		first, _, _ := bytes.Cut(bytes.TrimSpace(exit.Stderr), []byte("\n"))
		err = fmt.Errorf("%w: %s", err, first)
	}
	return "", fmt.Errorf("this needs Lethe's source tree: start it in there, as with go run ./bench (go list %s: %w)", module, err)
}
