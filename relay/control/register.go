package control

import (
	"context"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// router is a registered router's connection.
type router struct {
	id   auth.RouterID
	conn *quic.Conn
}

// register makes the peer's router present. The RouterID is the hash of the
// key that the connection was made with, so nobody can register another's.
func (s *Server) register(p *peer, stream *quic.Stream, m *wire.Register) {
	r := &router{id: auth.RouterIDOf(p.key), conn: p.conn}
	switch {
	case !s.bySource.Allow(p.source, time.Now()):
		s.refuse(stream, wire.CodeRateLimited)
		return
	case !auth.TokenEqual(s.cfg.Token, m.Token):
		s.Registrations.count(wire.CodeNotEnrolled)
		s.cfg.Log.Warn("router refused", "reason", wire.CodeNotEnrolled)
		s.refuse(stream, wire.CodeNotEnrolled)
		return
	}
	before, err := s.presence.Put(r.id, r)
	if err != nil {
		s.Registrations.count(wire.CodeTooManyRouters)
		s.refuse(stream, wire.CodeTooManyRouters)
		return
	}
	if before != nil && before.conn != p.conn {
		before.conn.CloseWithError(closeWith(wire.CodeReplaced), "")
	}
	s.Registrations.count(codeOK)
	s.cfg.Log.Info("router registered", "routers", s.presence.Len())
	context.AfterFunc(p.conn.Context(), func() {
		s.presence.Remove(r.id, r)
		s.cfg.Log.Info("router gone", "routers", s.presence.Len())
	})
	s.answer(stream, &wire.Registered{
		IdleTimeout:     s.cfg.IdleTimeout,
		PresenceTimeout: PresenceTimeout,
	})
}
