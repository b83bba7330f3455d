package bare

import (
	"context"
	"errors"
	"fmt"
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
	ID     wire.LegID
	Secret wire.LegSecret
	Relay  netip.AddrPort
	Conn   *udpio.Conn

	counter uint64
	cookie  wire.Cookie
}

// bind opens the leg's socket and binds it: BIND, COOKIE, BIND, BOUND.
func bind(ctx context.Context, c *Conn, id wire.LegID, secret wire.LegSecret) (*Leg, error) {
	conn, err := udpio.Listen(netip.AddrPortFrom(c.from, 0), udpio.Config{BufferBytes: legBuffer})
	if err != nil {
		return nil, err
	}
	l := &Leg{ID: id, Secret: secret, Relay: c.relay, Conn: conn}
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
		answer, err := wire.ParseLegMessage(in[0].Buf[:in[0].N])
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrNotBound, err)
		case answer.Type == wire.TypeBound:
			return nil
		}
		l.cookie = answer.Cookie
	}
	return ErrNotBound
}

// Keep sends a BIND without waiting for the answer. A leg that sends none for a
// minute loses its address. It is for one goroutine at a time.
func (l *Leg) Keep() error {
	l.counter++
	return l.send(wire.LegMessage{Type: wire.TypeBind, Leg: l.ID, Counter: l.counter, Cookie: l.cookie})
}

// Unbind tells the relay that the session is over. It is for one goroutine at a
// time, the one that calls Keep.
func (l *Leg) Unbind() error {
	l.counter++
	return l.send(wire.LegMessage{Type: wire.TypeUnbind, Leg: l.ID, Counter: l.counter})
}

func (l *Leg) send(m wire.LegMessage) error {
	b := m.Append(nil, &l.Secret)
	return l.Conn.NewWriter(1).WriteBatch([]udpio.Message{{Buf: b, N: len(b), Path: l.Path()}})
}

// Path is what a message to the relay carries.
func (l *Leg) Path() udpio.Path { return udpio.Path{Remote: udpio.AddrFrom(l.Relay)} }

// Close closes the socket, and tells the relay nothing.
func (l *Leg) Close() { l.Conn.Close() }
