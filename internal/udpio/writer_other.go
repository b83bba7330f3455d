//go:build !linux

package udpio

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// Writer writes to a Conn. It is for one goroutine.
type Writer struct{ conn *Conn }

// NewWriter makes a Writer. On this system each datagram is a call of its own.
func (c *Conn) NewWriter(int) *Writer { return &Writer{conn: c} }

// WriteBatch sends every message of ms and sets Status and Unsent of each. It
// returns an error only when the Conn is closed ([net.ErrClosed]) or the write
// deadline passed ([os.ErrDeadlineExceeded]).
func (w *Writer) WriteBatch(ms []Message) error {
	var final error
	for i := range ms {
		if err := w.write(&ms[i]); isFinal(err) {
			final = err
		}
	}
	return final
}

// Wipe has nothing to do: on this system a Writer keeps nothing.
func (w *Writer) Wipe() {}

// write sends m and returns the last error.
func (w *Writer) write(m *Message) (last error) {
	m.Status, m.Unsent = Sent, 0
	to := m.Path.Remote.AddrPort()
	for datagram := range m.Segments() {
		_, err := w.conn.udp.WriteToUDPAddrPort(datagram, to)
		if err == nil {
			continue
		}
		last = plain(err)
		m.Unsent++
		if m.Status == Sent {
			m.Status = statusOfError(last)
		}
	}
	return last
}

func isFinal(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded)
}

func statusOfError(err error) SendStatus {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return NoBuffer
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return statusOf(errno)
	}
	return Failed
}
