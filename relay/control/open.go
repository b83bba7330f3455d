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
	session, refused := s.admit(stream.Context(), p, m)
	s.Opens.count(codeOf(refused))
	if refused != nil {
		s.refuse(stream, refused)
		return
	}
	p.linger.Reset(s.timeouts.linger)
	opened := &wire.Opened{Leg: session.Device.ID(), Secret: session.Device.Secret()}
	if err := s.answer(stream, opened); err != nil {
		s.cfg.Plane.End(session, forward.EndByRelay)
	}
}

// admit is the whole admission at the relay, in the order of the package doc.
func (s *Server) admit(ctx context.Context, device *peer, m *wire.Open) (*forward.Session, *wire.Error) {
	now := time.Now()
	wait := s.bySource.Take(device.source, now)
	if wait == 0 {
		wait = s.byDevice.Take(auth.DeviceIDOf(device.key), now)
	}
	if wait > 0 {
		return nil, &wire.Error{Code: wire.CodeRateLimited, RetryAfter: wait}
	}
	router, code := s.find(device, m, now)
	if code != codeOK {
		return nil, &wire.Error{Code: code}
	}
	session, err := s.newSession(device, m)
	if err != nil {
		return nil, &wire.Error{Code: wire.CodeTooManySessions}
	}
	if code := s.push(ctx, router, device, session, m); code != codeOK {
		s.cfg.Plane.End(session, forward.EndByRelay)
		return nil, &wire.Error{Code: code}
	}
	return session, nil
}

// find checks the device's grant and returns the router that signed it. A grant
// that the router has taken back is refused without asking it.
func (s *Server) find(device *peer, m *wire.Open, now time.Time) (*peer, wire.Code) {
	var grant auth.Grant
	if m.Purpose == wire.PurposeTunnel {
		var err error
		if grant, err = auth.Verify(m.Grant, auth.RouterID(m.Router), device.key, now); err != nil {
			return nil, auth.GrantCode(err)
		}
	}
	router, present := s.presence.Get(auth.RouterID(m.Router))
	if !present {
		return nil, wire.CodeRouterOffline
	}
	revoked := router.revoked.Load()
	if m.Purpose == wire.PurposeTunnel && revoked != nil && revoked.Revoked(auth.DeviceIDOf(device.key), grant.Serial) {
		return nil, wire.CodeGrantRevoked
	}
	return router, codeOK
}

// newSession makes the session and counts it for both sides until it ends.
func (s *Server) newSession(p *peer, m *wire.Open) (*forward.Session, error) {
	router, device := auth.RouterID(m.Router), auth.DeviceIDOf(p.key)
	perRouter := s.perRouter
	if m.Purpose == wire.PurposePairing {
		perRouter = s.pairings
	}
	if !perRouter.Take(router) {
		return nil, forward.ErrFull
	}
	if !s.perDevice.Take(device) {
		perRouter.Return(router)
		return nil, forward.ErrFull
	}
	release := func(forward.EndReason) {
		perRouter.Return(router)
		s.perDevice.Return(device)
	}
	session, err := s.cfg.Plane.NewSession(release)
	if err != nil {
		release(forward.EndByRelay)
	}
	return session, err
}

// push tells the router of the session and waits for its word, which is final.
func (s *Server) push(ctx context.Context, router, device *peer, session *forward.Session, m *wire.Open) wire.Code {
	ctx, cancel := context.WithTimeout(ctx, s.timeouts.answer)
	defer cancel()
	stream, err := router.conn.OpenStreamSync(ctx)
	if err != nil {
		return codeOfRouter(err)
	}
	defer stream.CancelRead(0)
	deadline, _ := ctx.Deadline()
	stream.SetDeadline(deadline)
	err = wire.WriteMessage(stream, &wire.Incoming{
		Leg: session.Router.ID(), Secret: session.Router.Secret(),
		Device: [32]byte(device.key), Grant: m.Grant, Purpose: m.Purpose,
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
