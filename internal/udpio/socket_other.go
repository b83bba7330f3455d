//go:build !linux

package udpio

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// socket is the part of a Conn that differs by system: here, nothing is known.
type socket struct {
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

// setBuffers asks for both buffers. What is granted is not told.
func (c *Conn) setBuffers(want int) error {
	if want == 0 {
		return nil
	}
	_ = c.udp.SetReadBuffer(want)
	_ = c.udp.SetWriteBuffer(want)
	return nil
}
