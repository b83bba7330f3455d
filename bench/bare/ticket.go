package bare

import (
	"context"
	"fmt"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Ticket is a leg that the relay has admitted. Whoever has it can bind the leg to
// a socket of its own: send what Bind makes, until Take says that an answer was
// the last. It is for one goroutine at a time.
type Ticket struct {
	ID     wire.LegID
	Secret wire.LegSecret

	counter uint64
	cookie  wire.Cookie
}

// Bind makes the next BIND.
func (t *Ticket) Bind() []byte {
	t.counter++
	return wire.LegMessage{Type: wire.TypeBind, Leg: t.ID, Counter: t.counter, Cookie: t.cookie}.Append(nil, &t.Secret)
}

// Take takes the relay's answer to a BIND, and tells whether the leg is bound. If
// it isn't, the answer was a cookie, and the next BIND has it.
func (t *Ticket) Take(answer []byte) (bound bool, err error) {
	m, err := wire.ParseLegMessage(answer)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrNotBound, err)
	}
	if m.Type == wire.TypeBound {
		return true, nil
	}
	t.cookie = m.Cookie
	return false, nil
}

// Admit asks for a session with a router, as Open does, and binds nothing.
func (c *Conn) Admit(ctx context.Context, router auth.RouterID, grant []byte) (Ticket, error) {
	m, err := ask[*wire.Opened](ctx, c.quic, &wire.Open{Router: router, Grant: grant, Purpose: wire.PurposeTunnel})
	if err != nil {
		return Ticket{}, err
	}
	return Ticket{ID: m.Leg, Secret: m.Secret}, nil
}

// Meet takes the next session that a device opens, as Accept does, and binds nothing.
func (c *Conn) Meet(ctx context.Context) (t Ticket, err error) {
	err = c.meet(ctx, func(admitted Ticket) error {
		t = admitted
		return nil
	})
	return t, err
}

// meet takes the next session that a device opens, and accepts it if with it goes
// well. That devices have moved is accepted, too.
func (c *Conn) meet(ctx context.Context, with func(Ticket) error) error {
	for {
		stream, err := c.quic.AcceptStream(ctx)
		if err != nil {
			return err
		}
		if was, err := answer(stream, with); err != nil || was == wire.TypeIncoming {
			return err
		}
	}
}

// answer answers one push of the relay, and tells what it was.
func answer(stream *quic.Stream, with func(Ticket) error) (wire.Type, error) {
	defer stream.Close()
	defer stream.CancelRead(0) // nothing follows; until it is read to its end, the stream counts against the limit of open ones
	m, err := wire.ReadMessage(stream)
	if err != nil {
		return 0, err
	}
	if incoming, is := m.(*wire.Incoming); is {
		if err := with(Ticket{ID: incoming.Leg, Secret: incoming.Secret}); err != nil {
			return 0, err
		}
	}
	return m.Type(), wire.WriteMessage(stream, &wire.Accept{})
}
