//go:build !linux

package udpio

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// socket is the part of a Conn that differs by system: here, nothing is known.
type socket struct {
	udp     *net.UDPConn
	offload Offload
	granted granted
}

func (s *socket) configure(_ syscall.RawConn, _ netip.Addr, cfg Config) error {
	if cfg.ReusePort {
		return errShare()
	}
	return nil
}

// Share is not possible here.
func (c *Conn) Share() error { return errShare() }

func errShare() error {
	return fmt.Errorf("share the port among sockets: %w on this system", errors.ErrUnsupported)
}

// adopt takes the bound socket and asks for both buffers. What is granted is
// not told.
func (s *socket) adopt(udp *net.UDPConn, want int) error {
	s.udp = udp
	if want > 0 {
		_ = udp.SetReadBuffer(want)
		_ = udp.SetWriteBuffer(want)
	}
	return nil
}

func (s *socket) setReadDeadline(t time.Time) error { return plain(s.udp.SetReadDeadline(t)) }

func (s *socket) setWriteDeadline(t time.Time) error { return plain(s.udp.SetWriteDeadline(t)) }

func (s *socket) access() (syscall.RawConn, error) { return s.udp.SyscallConn() }

func (s *socket) close() error {
	if err := s.udp.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// plain turns the errors of the runtime's poller into the two that callers test
// for, and leaves others alone.
func plain(err error) error {
	switch {
	case errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	}
	return err
}
