package statefile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLockHoldsNothingToWriteWith: while it is locked, no open descriptor of this
// program could write to the lock file.
func TestLockHoldsNothingToWriteWith(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, fd := range open {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); to != filepath.Join(dir, lockName) {
			continue
		}
		found = true
		info, err := os.ReadFile("/proc/self/fdinfo/" + fd.Name())
		if err != nil {
			t.Fatal(err)
		}
		var flags int
		_, rest, _ := strings.Cut(string(info), "flags:")
		if _, err := fmt.Sscanf(rest, "%o", &flags); err != nil || flags&3 != os.O_RDONLY {
			t.Errorf("descriptor %s is open with flags %o, %v", fd.Name(), flags, err)
		}
	}
	if !found {
		t.Error("the lock file is not open")
	}
}
