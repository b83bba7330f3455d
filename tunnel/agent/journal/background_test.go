package journal

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestBackgroundFailure: Add succeeds while nothing can be written, the next one tells why,
// once, and the write is tried again until it succeeds.
func TestBackgroundFailure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	path := filepath.Join(dir, "journal.jsonl")
	synctest.Test(t, func(t *testing.T) {
		j := open(t, path)
		defer closeJournal(t, j)
		add(t, j, denied(phone, time.Now()))
		synctest.Wait()
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(writeEvery)
		synctest.Wait()
		if n := len(onDisk(t, path)); n != 1 {
			t.Errorf("%d entries on the disk", n)
		}
		if err := j.Add(denied(laptop, time.Now())); err == nil {
			t.Error("nobody is told that a write failed")
		}
		add(t, j, denied(laptop, time.Now()))
	})
}
