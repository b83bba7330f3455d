package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/tmpfstest"
)

// TestFullDisk: entries are kept in memory, the error says so, and with room
// again all of them are written, without a torn line among them.
func TestFullDisk(t *testing.T) {
	dir := tmpfstest.Mount(t, "size=64k")
	path, filler := filepath.Join(dir, "journal.jsonl"), filepath.Join(dir, "filler")
	j := open(t, path)
	j.last = time.Now() // the timer's goroutine would not see this disk
	add(t, j, denied(phone, time.Now()))
	if err := j.flush(); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filler, make([]byte, 80<<10), 0o600) // fails when the disk is full, as it should
	for i := range 40 {
		e := denied(phone, time.Now())
		e.Score = i
		add(t, j, e)
	}
	for range 2 { // what is torn by the first is no place for the second
		err := j.flush()
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "in memory only") {
			t.Fatalf("on a full disk: %v", err)
		}
	}
	if n, err := j.Forget(laptop); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("forget: %d, %v", n, err)
	}
	if n := len(j.Entries(phone, time.Time{})); n != 41 {
		t.Errorf("%d entries in memory", n)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)
	if n := len(onDisk(t, path)); n != 41 {
		t.Errorf("%d entries on the disk", n)
	}
}
