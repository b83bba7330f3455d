package drive

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// inodeOf is the socket's number in the kernel, which is the same for all of its descriptors.
func inodeOf(c syscall.RawConn) (uint64, error) {
	var stat unix.Stat_t
	var failed error
	err := c.Control(func(fd uintptr) { failed = unix.Fstat(int(fd), &stat) })
	return stat.Ino, errors.Join(err, failed)
}
