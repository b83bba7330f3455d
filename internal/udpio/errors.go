package udpio

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// ErrShortBuffer is returned by ReadBatch when it is given no message, or one
// with a buffer of less than MaxBatchBytes, which could cut a datagram.
var ErrShortBuffer = errors.New("udpio: message without a buffer of MaxBatchBytes; make messages with NewBatch")

// listenError says what stands in the way of listening on addr.
func listenError(addr netip.AddrPort, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err // the rest repeats addr
	}
	return fmt.Errorf("listen for UDP on %v: %w: %s", addr, err, listenHint(err))
}

func listenHint(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "stop the program that has the port, or listen on another"
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return "run with CAP_NET_BIND_SERVICE, or listen on a port above 1023"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "listen on an address that an interface of this machine has"
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return "listen on an IPv4 address, this machine has no IPv6"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "raise the limit of open files (ulimit -n): each UDP socket takes three"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, os.ErrNoDeadline):
		return "raise the limit of epoll watches (sysctl fs.epoll.max_user_watches), or free memory: each UDP socket takes four watches"
	case errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ENOBUFS):
		return "free memory, or raise its limit"
	}
	return "check the address"
}
