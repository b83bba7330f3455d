package bare

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

const (
	legBuffer = 8 << 20 // bytes of kernel buffer asked for
	bindPause = 300 * time.Millisecond
	bindTries = 20 // a relay at full load may lose some
)

// ErrNotBound says that the relay has answered no BIND.
var ErrNotBound = errors.New("the relay did not bind the leg")

// Leg is a bound leg. Whoever reads its Conn sees the relay's answers to Keep,
// too: datagrams that are not QUIC's by their first byte.
type Leg struct {
	Ticket
	Relay netip.AddrPort
	Conn  *udpio.Conn
}

// bind opens the leg's socket and binds it: BIND, COOKIE, BIND, BOUND.
func bind(ctx context.Context, c *Conn, t Ticket) (*Leg, error) {
	conn, err := udpio.Listen(netip.AddrPortFrom(c.from, 0), udpio.Config{BufferBytes: legBuffer})
	if err != nil {
		return nil, err
	}
	l := &Leg{Ticket: t, Relay: c.relay, Conn: conn}
	if err := l.ask(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return l, conn.SetReadDeadline(time.Time{})
}

func (l *Leg) ask(ctx context.Context) error {
	reader, in := l.Conn.NewReader(1), udpio.NewBatch(1)
	for range bindTries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := l.Keep(); err != nil {
			return err
		}
		l.Conn.SetReadDeadline(time.Now().Add(bindPause))
		_, err := reader.ReadBatch(in)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			return err
		}
		if bound, err := l.Take(in[0].Buf[:in[0].N]); bound || err != nil {
			return err
		}
	}
	return ErrNotBound
}

// Keep sends a BIND without waiting for the answer. A leg that sends none for a
// minute loses its address. It is for one goroutine at a time.
func (l *Leg) Keep() error { return l.send(l.Bind()) }

// Unbind tells the relay that the session is over. It is for one goroutine at a
// time, the one that calls Keep.
func (l *Leg) Unbind() error {
	l.counter++
	m := wire.LegMessage{Type: wire.TypeUnbind, Leg: l.ID, Counter: l.counter}
	return l.send(m.Append(nil, &l.Secret))
}

func (l *Leg) send(b []byte) error {
	return l.Conn.NewWriter(1).WriteBatch([]udpio.Message{{Buf: b, N: len(b), Path: l.Path()}})
}

// Path is what a message to the relay carries.
func (l *Leg) Path() udpio.Path { return udpio.Path{Remote: udpio.AddrFrom(l.Relay)} }

// Close closes the socket, and tells the relay nothing.
func (l *Leg) Close() { l.Conn.Close() }
