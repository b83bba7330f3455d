package pin

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lethe-relay/lethe/internal/tmpfstest"
)

// TestFullDisk: who can't be counted can't guess. With room again all is as before.
func TestFullDisk(t *testing.T) {
	dir := tmpfstest.Mount(t, "size=64k")
	path, filler := filepath.Join(dir, "pin.json"), filepath.Join(dir, "filler")
	cheapPIN(t, path, right)
	c := open(t, path)
	wantWrong(t, c, phone, start, 4)
	os.WriteFile(filler, make([]byte, 80<<10), 0o600) // fails when the disk is full, as it should
	for _, pin := range []string{wrong, right} {
		if err := c.Check(phone, pin, start); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("on a full disk: %v", err)
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	wantWrong(t, c, phone, start, 1)
	wantLocked(t, c, phone, start, start.Add(lockAfter(5)))
}
