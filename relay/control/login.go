package control

import (
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/wire"
)

// login tells a device where its person logs in, if the relay has accounts.
func (s *Server) login(p *peer, stream *quic.Stream) {
	switch refused := s.tooSoon(p, time.Now()); {
	case refused != nil:
		s.refuse(stream, refused)
	case s.cfg.Accounts == nil:
		s.refuse(stream, &wire.Error{Code: wire.CodeNoAccounts})
	default:
		s.answer(stream, &s.cfg.Issuer)
	}
}
