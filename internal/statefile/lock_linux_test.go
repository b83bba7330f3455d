package statefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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

// TestLockThatNeedsWriting: NFS locks no file that is open for reading only, and says
// EBADF; a descriptor that is not open for anything gets the same.
func TestLockThatNeedsWriting(t *testing.T) {
	fd, err := unix.Open(t.TempDir(), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "lock")
	defer f.Close()
	err = explain("lock", "/srv/relay", lockFile(f))
	if !errors.Is(err, unix.EBADF) || !strings.Contains(err.Error(), "/srv/relay") || !strings.Contains(err.Error(), "NFS") {
		t.Errorf("%v, want EBADF with what to do", err)
	}
}
