package part

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// plainSocket returns another handle of the socket, as package net makes them:
// without GRO, which a stock endpoint does not expect. The caller closes it.
func plainSocket(conn *udpio.Conn) (*net.UDPConn, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd, failed := -1, error(nil)
	err = raw.Control(func(original uintptr) {
		if failed = unix.SetsockoptInt(int(original), unix.IPPROTO_UDP, unix.UDP_GRO, 0); failed == nil {
			fd, failed = unix.Dup(int(original))
		}
	})
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "leg")
	defer file.Close()
	socket, err := net.FilePacketConn(file)
	if err != nil {
		return nil, err
	}
	return socket.(*net.UDPConn), nil
}
