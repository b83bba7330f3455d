//go:build unix

package service

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestReadPipe: a leases file that is a pipe nobody writes to must not hold up the status.
func TestReadPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := root(dir).read("pipe", 1); ok {
		t.Error("a pipe was read as a file")
	}
}
