package control

import (
	"context"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/forgetful"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/internal/wire"
)

// register answers a router's request to be present.
func (s *Server) register(p *peer, stream *quic.Stream, m *wire.Register) {
	newer, refused := s.enrol(p, m)
	s.Registrations.count(codeOf(refused))
	if refused != nil {
		s.refuse(stream, refused)
		return
	}
	s.answer(stream, &wire.Registered{
		IdleTimeout:     s.cfg.IdleTimeout,
		PresenceTimeout: s.timeouts.presence,
		Newer:           newer,
	})
	s.over()
}

// enrol makes the peer's router present, with what it says of its grants, and
// tells whether newer revocations of it are known than it has told. The RouterID
// is the hash of the key that the connection was made with, so nobody can
// register another's.
func (s *Server) enrol(p *peer, m *wire.Register) (newer bool, refused *wire.Error) {
	if wait := s.bySource.Take(p.source, time.Now()); wait > 0 {
		return false, &wire.Error{Code: wire.CodeRateLimited, RetryAfter: wait}
	}
	if !auth.TokenEqual(s.cfg.Token, m.Token) {
		return false, &wire.Error{Code: wire.CodeNotEnrolled}
	}
	var told auth.Revocations
	if len(m.Revocations) > 0 {
		var err error
		if told, err = auth.ParseRevocations(m.Revocations); err != nil {
			return false, &wire.Error{Code: wire.CodeBadRequest}
		}
		p.learn(&told)
	}
	if !s.put(auth.RouterIDOf(p.key), p) {
		return false, &wire.Error{Code: wire.CodeTooManyRouters}
	}
	known := p.revoked.Load()
	return known != nil && known.Number > told.Number, nil
}

// put makes p the router's connection until it ends; false if there are too
// many routers. What is known of the router's revocations is never replaced by
// something older, be it told on another connection or before it left.
func (s *Server) put(id auth.RouterID, p *peer) bool {
	before, err := s.presence.Put(id, p)
	switch {
	case err != nil:
		return false
	case before == p: // it asked twice
		return true
	case before != nil:
		p.learn(before.revoked.Load())
		before.conn.CloseWithError(closeWith(wire.CodeReplaced), "")
	}
	p.learn(s.departed.of(id, time.Now()))
	s.cfg.Log.Say(telemetry.RouterRegistered, telemetry.Number(telemetry.Routers, s.presence.Len()))
	context.AfterFunc(p.conn.Context(), func() {
		forgetful.Do(func() {
			s.departed.keep(id, p.revoked.Load(), time.Now())
			s.presence.Remove(id, p)
		})
		s.cfg.Log.Say(telemetry.RouterGone, telemetry.Number(telemetry.Routers, s.presence.Len()))
	})
	return true
}
