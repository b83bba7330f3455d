package statefile

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

var (
	// ErrNotPrivate says that others than the owner may use a file, or write to a directory.
	ErrNotPrivate = errors.New("not private")
	// ErrTooLarge says that a file, or the data for one, is larger than MaxSize.
	ErrTooLarge = errors.New("too large")
	// ErrLocked says that another program holds the lock of a directory.
	ErrLocked = errors.New("in use by another program")
)

// explain says what failed, on which path, why, and how to mend it.
func explain(what, path string, err error) error {
	// Around the errno stands the path of a temporary file, which nobody has asked for.
	cause := err
	var errno syscall.Errno
	if errors.As(err, &errno) {
		cause = errno
	}
	if hint := mend(cause); hint != "" {
		return fmt.Errorf("can't %s %s: %w; %s", what, path, cause, hint)
	}
	return fmt.Errorf("can't %s %s: %w", what, path, cause)
}

// mend tells what to do about an error of the operating system; empty if it speaks for itself.
func mend(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "free some space on that disk and try again"
	case errors.Is(err, syscall.EDQUOT):
		return "free some space, or have the disk quota raised, and try again"
	case errors.Is(err, syscall.EROFS):
		return "choose a directory on a disk that can be written to, or remount this one"
	case errors.Is(err, fs.ErrPermission):
		return "run as the user who owns the directory, or choose another directory"
	case errors.Is(err, syscall.EBADF):
		return "its file system, most likely NFS, locks no file that is open for reading only; choose a directory on a disk of this machine"
	case errors.Is(err, syscall.EIO):
		return "the disk may be failing; look into the system log"
	case errors.Is(err, syscall.ENOTDIR):
		return "a part of the path is a file; choose another directory"
	}
	return ""
}
