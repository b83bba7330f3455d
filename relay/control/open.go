package control

import (
	"context"
	"errors"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

// open answers a device's request for a session.
func (s *Server) open(p *peer, stream *quic.Stream, m *wire.Open) {
	opened, code := s.admit(p, stream.Context(), m)
	s.Opens.count(code)
	if code != codeOK {
		s.refuse(stream, code)
		return
	}
	if err := s.answer(stream, opened.message()); err != nil {
		s.cfg.Plane.End(opened.session, forward.EndByRelay)
	}
}

// opening is a session that the router has accepted.
type opening struct{ session *forward.Session }

func (o opening) message() *wire.Opened {
	return &wire.Opened{Leg: o.session.Device.ID(), Secret: o.session.Device.Secret()}
}

// admit is the whole admission at the relay, in the order of the package doc.
func (s *Server) admit(p *peer, ctx context.Context, m *wire.Open) (opening, wire.Code) {
	now := time.Now()
	device := auth.DeviceIDOf(p.key)
	if !s.byDevice.Allow(device, now) || !s.bySource.Allow(p.source, now) {
		return opening{}, wire.CodeRateLimited
	}
	id := auth.RouterID(m.Router)
	if m.Purpose == wire.PurposeTunnel {
		if _, err := auth.Verify(m.Grant, id, p.key, now); err != nil {
			return opening{}, codeOfGrant(err)
		}
	}
	r, present := s.presence.Get(id)
	if !present {
		return opening{}, wire.CodeRouterOffline
	}
	session, code := s.newSession(id, device)
	if code != codeOK {
		return opening{}, code
	}
	if code := s.push(ctx, r, p, session, m); code != codeOK {
		s.cfg.Plane.End(session, forward.EndByRelay)
		return opening{}, code
	}
	return opening{session}, codeOK
}

// newSession makes the session and counts it for both sides until it ends.
func (s *Server) newSession(id auth.RouterID, device auth.DeviceID) (*forward.Session, wire.Code) {
	if !s.perRouter.Take(id) {
		return nil, wire.CodeTooManySessions
	}
	if !s.perDevice.Take(device) {
		s.perRouter.Return(id)
		return nil, wire.CodeTooManySessions
	}
	release := func(forward.EndReason) {
		s.perRouter.Return(id)
		s.perDevice.Return(device)
	}
	session, err := s.cfg.Plane.NewSession(release)
	if err != nil {
		release(forward.EndByRelay)
		return nil, wire.CodeTooManySessions
	}
	return session, codeOK
}

// push tells the router of the session and waits for its word, which is final.
func (s *Server) push(ctx context.Context, r *router, p *peer, session *forward.Session, m *wire.Open) wire.Code {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	stream, err := r.conn.OpenStreamSync(ctx)
	if err != nil {
		return wire.CodeRouterOffline
	}
	defer stream.CancelRead(0)
	deadline, _ := ctx.Deadline()
	stream.SetDeadline(deadline)
	err = wire.WriteMessage(stream, &wire.Incoming{
		Leg: session.Router.ID(), Secret: session.Router.Secret(),
		Device: [32]byte(p.key), Grant: m.Grant, Purpose: m.Purpose,
	})
	stream.Close()
	if err != nil {
		return codeOfRouter(err)
	}
	_, err = wire.Expect[*wire.Accept](stream)
	return codeOfRouter(err)
}

// codeOfRouter turns what became of a push into the device's answer. A code of
// the router's own is passed on.
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

func codeOfGrant(err error) wire.Code {
	switch {
	case errors.Is(err, auth.ErrGrantExpired):
		return wire.CodeGrantExpired
	case errors.Is(err, auth.ErrGrantNotYetValid):
		return wire.CodeGrantNotYetValid
	default:
		return wire.CodeGrantInvalid
	}
}
