package control

import (
	"encoding/json"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// erasedSessions is the receipt's word for what the relay held.
const erasedSessions = "sessions"

// inspect tells a device what is held about it, and erases it if it says so. It
// needs no grant, since the key of the connection is whom it is about.
func (s *Server) inspect(p *peer, stream *quic.Stream, m *wire.Inspect) {
	held, refused := s.holdingsOf(p, m)
	if refused != nil {
		s.refuse(stream, refused)
		return
	}
	s.answer(stream, held)
}

func (s *Server) holdingsOf(p *peer, m *wire.Inspect) (*wire.Held, *wire.Error) {
	now := time.Now()
	if refused := s.tooSoon(p, now); refused != nil {
		return nil, refused
	}
	who := between{auth.DeviceIDOf(p.key), m.Router}
	sessions, connections := s.held.of(who)
	held := &wire.Held{Sessions: uint64(len(sessions)), Connections: uint64(connections)}
	for _, l := range sessions {
		held.Bytes += l.session.Bytes()
	}
	if !m.Erase {
		return held, nil
	}
	for _, l := range sessions {
		l.end()
	}
	var err error
	if held.Receipt, err = s.receipt(who, len(sessions), now); err != nil {
		return nil, &wire.Error{Code: wire.CodeInternal}
	}
	return held, nil
}

// receipt is the relay's signed word that it holds these sessions no more. It is
// made when they have ended, so that it is true; of none, it says so too.
func (s *Server) receipt(who between, sessions int, now time.Time) ([]byte, error) {
	r := auth.Receipt{Party: string(auth.PeerRelay), Device: who.device, Router: who.router, At: now}
	if sessions > 0 {
		r.Erased = []string{erasedSessions}
	}
	r, err := auth.SignReceipt(s.cfg.Identity, r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}
