//go:build linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/oidctest"
)

// TestMain builds the programs once, and puts them first in PATH.
func TestMain(m *testing.M) {
	if exit, child := oidctest.Main(os.Args[1:]); child {
		os.Exit(exit)
	}
	dir, err := os.MkdirTemp("", "lethe-e2e-")
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), build(dir)) // other users run them, too
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		removeLeftNamespaces()
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

func build(dir string) error {
	cmd := exec.Command("go", "build", "-o", dir, "./cmd/lethe", "./cmd/lethe-agent", "./cmd/lethe-relay")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// deadline bounds a test. Unlike t.Context it lasts until the test's processes
// have been stopped, if it is asked for before they are started.
func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// until asks again until ok says so: for what nobody announces.
func until(t *testing.T, ctx context.Context, what string, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// need skips the test unless these programs, given as name and Debian package, are here.
func need(t *testing.T, programs map[string]string) {
	t.Helper()
	for name, debian := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs %s (Debian: apt-get install %s)", name, debian)
		}
	}
}

func needRoot(t *testing.T, what string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("needs root to %s", what)
	}
}
