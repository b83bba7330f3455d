package control

import (
	"context"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// register answers a router's request to be present.
func (s *Server) register(p *peer, stream *quic.Stream, m *wire.Register) {
	refused := s.enrol(p, m)
	s.Registrations.count(codeOf(refused))
	if refused != nil {
		s.refuse(stream, refused)
		return
	}
	s.answer(stream, &wire.Registered{
		IdleTimeout:     s.cfg.IdleTimeout,
		PresenceTimeout: s.timeouts.presence,
	})
}

// enrol makes the peer's router present, with what it says of its grants. The RouterID is the hash of the key
// that the connection was made with, so nobody can register another's.
func (s *Server) enrol(p *peer, m *wire.Register) *wire.Error {
	if wait := s.bySource.Take(p.source, time.Now()); wait > 0 {
		return &wire.Error{Code: wire.CodeRateLimited, RetryAfter: wait}
	}
	if !auth.TokenEqual(s.cfg.Token, m.Token) {
		return &wire.Error{Code: wire.CodeNotEnrolled}
	}
	if len(m.Revocations) > 0 {
		revoked, err := auth.ParseRevocations(m.Revocations)
		if err != nil {
			return &wire.Error{Code: wire.CodeBadRequest}
		}
		p.learn(&revoked)
	}
	id := auth.RouterIDOf(p.key)
	before, err := s.presence.Put(id, p)
	switch {
	case err != nil:
		return &wire.Error{Code: wire.CodeTooManyRouters}
	case before == p: // it asked twice
		return nil
	case before != nil:
		p.learn(before.revoked.Load())
		before.conn.CloseWithError(closeWith(wire.CodeReplaced), "")
	}
	s.cfg.Log.Info("router registered", "routers", s.presence.Len())
	context.AfterFunc(p.conn.Context(), func() {
		s.presence.Remove(id, p)
		s.cfg.Log.Info("router gone", "routers", s.presence.Len())
	})
	return nil
}
