package statefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// lockName is the file in a directory that carries its lock. It stays when the lock goes: a
// program that removed it could remove the one that the next program has just locked.
const lockName = "lock"

// Lock makes the calling program the only user of dir until it calls unlock or ends, however it
// ends. A second Lock of the same directory, from this program too, fails at once with ErrLocked. On systems
// without flock(2) it always succeeds.
func Lock(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, lockName)
	// The descriptor that is kept is for reading: a program that is not to write
	// anything must not hold one that it could.
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, explain("lock", dir, err)
	}
	if err := lockFile(f); err != nil {
		holder := readHolder(f)
		f.Close()
		if errors.Is(err, ErrLocked) {
			return nil, fmt.Errorf("can't use the directory %s: it is %w%s; stop that one first, or choose another directory", dir, err, holder)
		}
		return nil, explain("lock", dir, err)
	}
	writeHolder(path)
	return func() { f.Close() }, nil
}

// writeHolder leaves our process id in the lock file for the error of the next program. It is a
// courtesy and may fail: the lock holds on a full disk too.
func writeHolder(path string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return
	}
	fmt.Fprintf(f, "%d\n", os.Getpid())
	f.Close()
}

// readHolder names the process that holds the lock, if it has left its id.
func readHolder(f *os.File) string {
	var buf [16]byte
	n, _ := f.ReadAt(buf[:], 0)
	id := strings.TrimSpace(string(buf[:n]))
	if id == "" || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return " (process " + id + ")"
}
