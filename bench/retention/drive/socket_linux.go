package drive

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// portOf is the port that a socket is bound to; zero if it is closed.
func portOf(c syscall.RawConn) (port uint16) {
	c.Control(func(fd uintptr) {
		switch name, _ := unix.Getsockname(int(fd)); name := name.(type) {
		case *unix.SockaddrInet4:
			port = uint16(name.Port)
		case *unix.SockaddrInet6:
			port = uint16(name.Port)
		}
	})
	return port
}
