package control

import (
	"context"
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
	defer clear(m.ObservationKey[:]) // the session has its own
	now := time.Now()
	if refused := s.tooSoon(device, now); refused != nil {
		return nil, refused
	}
	router, grant, code := s.find(device, m, now)
	if code != codeOK {
		return nil, &wire.Error{Code: code}
	}
	e, refused := s.judge(ctx, device, m, grant)
	if refused != nil {
		return nil, refused
	}
	incoming := &wire.Incoming{Device: [32]byte(device.key), Grant: m.Grant, Purpose: m.Purpose, Vouched: e.told()}
	l, err := s.newSession(device, m, e)
	if err != nil {
		return nil, &wire.Error{Code: wire.CodeTooManySessions}
	}
	incoming.Leg, incoming.Secret = l.session.Router.ID(), l.session.Router.Secret()
	if code := s.push(ctx, router, incoming); code != codeOK {
		l.end()
		return nil, &wire.Error{Code: code}
	}
	return l.session, nil
}

// tooSoon refuses a request that is more than its source or its device may make.
func (s *Server) tooSoon(device *peer, now time.Time) *wire.Error {
	wait := s.bySource.Take(device.source, now)
	if wait == 0 {
		wait = s.byDevice.Take(auth.DeviceIDOf(device.key), now)
	}
	if wait > 0 {
		return &wire.Error{Code: wire.CodeRateLimited, RetryAfter: wait}
	}
	return nil
}

// find checks the device's grant and returns the router that signed it. A grant
// that the router has taken back is refused without asking it. For pairing there
// is no grant.
func (s *Server) find(device *peer, m *wire.Open, now time.Time) (router *peer, grant auth.Grant, code wire.Code) {
	if m.Purpose == wire.PurposeTunnel {
		var err error
		if grant, err = auth.Verify(m.Grant, auth.RouterID(m.Router), device.key, now); err != nil {
			return nil, grant, auth.GrantCode(err)
		}
	}
	router, present := s.presence.Get(auth.RouterID(m.Router))
	if !present {
		return nil, grant, wire.CodeRouterOffline
	}
	revoked := router.revoked.Load()
	if m.Purpose == wire.PurposeTunnel && revoked != nil && revoked.Revoked(auth.DeviceIDOf(device.key), grant.Serial) {
		return nil, grant, wire.CodeGrantRevoked
	}
	return router, grant, codeOK
}

// newSession makes the session and counts it for both sides until it ends. The
// evidence is its own from now on.
func (s *Server) newSession(p *peer, m *wire.Open, e *evidence) (*live, error) {
	who := between{auth.DeviceIDOf(p.key), m.Router}
	perRouter := s.perRouter
	if m.Purpose == wire.PurposePairing {
		perRouter = s.pairings
	}
	if !perRouter.Take(who.router) {
		e.wipe()
		return nil, forward.ErrFull
	}
	if !s.perDevice.Take(who.device) {
		e.wipe()
		perRouter.Return(who.router)
		return nil, forward.ErrFull
	}
	release := func() {
		perRouter.Return(who.router)
		s.perDevice.Return(who.device)
	}
	l, err := s.begin(who, e, release)
	if err != nil {
		e.wipe()
		release()
	}
	return l, err
}

// push tells the router of the session and waits for its word, which is final.
func (s *Server) push(ctx context.Context, router *peer, m *wire.Incoming) wire.Code {
	ctx, cancel := context.WithTimeout(ctx, s.timeouts.answer)
	defer cancel()
	return codeOfRouter(router.ask(ctx, m))
}
