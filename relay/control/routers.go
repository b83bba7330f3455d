package control

import (
	"context"
	"errors"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/wire"
)

// ask sends a router one message, on a stream of its own, and waits until it is
// accepted or ctx, which has a deadline, ends.
func (p *peer) ask(ctx context.Context, m wire.Message) error {
	stream, err := p.conn.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	defer stream.CancelRead(0)
	deadline, _ := ctx.Deadline()
	stream.SetDeadline(deadline)
	err = wire.WriteMessage(stream, m)
	stream.Close()
	if err != nil {
		return err
	}
	_, err = wire.Expect[*wire.Accept](stream)
	return err
}

// codeOfRouter turns what became of a question into the device's answer. A code
// of the router's own is passed on.
func codeOfRouter(err error) wire.Code {
	var refused *wire.Error
	var idle *quic.IdleTimeoutError
	var closed *quic.ApplicationError
	switch {
	case err == nil:
		return codeOK
	case errors.As(err, &refused):
		return refused.Code
	case errors.As(err, &idle), errors.As(err, &closed):
		return wire.CodeRouterOffline
	default:
		return wire.CodeRouterTimeout
	}
}
