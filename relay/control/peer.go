package control

import (
	"context"
	"crypto/ed25519"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

// peer is one authenticated connection: a router's once it has registered, a
// device's otherwise.
type peer struct {
	conn   *quic.Conn
	key    ed25519.PublicKey
	source netip.Prefix // what limits by source go by
	linger *time.Timer  // closes the connection unless it asks or is a router's
}

// serve answers the requests of one connection until it ends.
func (s *Server) serve(ctx context.Context, conn *quic.Conn) {
	key, err := auth.PeerKey(conn.ConnectionState().TLS)
	if err != nil {
		conn.CloseWithError(closeWith(wire.CodeBadRequest), "")
		return
	}
	p := &peer{conn: conn, key: key, source: sourceOf(conn)}
	p.linger = time.AfterFunc(deviceLinger, func() { s.closeIdle(p) })
	defer p.linger.Stop()
	stop := context.AfterFunc(ctx, func() { conn.CloseWithError(closeWith(wire.CodeShuttingDown), "") })
	defer stop()
	for {
		stream, err := conn.AcceptStream(conn.Context())
		if err != nil {
			return
		}
		p.linger.Reset(deviceLinger)
		s.peers.Go(func() { s.request(p, stream) })
	}
}

// closeIdle closes the connection of a device that has stopped asking. A
// router may be as quiet as it likes.
func (s *Server) closeIdle(p *peer) {
	if r, present := s.presence.Get(auth.RouterIDOf(p.key)); present && r.conn == p.conn {
		return
	}
	p.conn.CloseWithError(closeWith(codeOK), "")
}

// request answers one stream.
func (s *Server) request(p *peer, stream *quic.Stream) {
	defer stream.Close()
	stream.SetDeadline(time.Now().Add(requestTimeout))
	msg, err := wire.ReadMessage(stream)
	if err != nil {
		s.refuse(stream, wire.CodeBadRequest)
		return
	}
	stream.SetDeadline(time.Time{})
	switch m := msg.(type) {
	case *wire.Register:
		s.register(p, stream, m)
	case *wire.Open:
		s.open(p, stream, m)
	default:
		s.refuse(stream, wire.CodeUnsupported)
	}
}

// refuse answers with an error code and stops reading.
func (s *Server) refuse(stream *quic.Stream, code wire.Code) {
	s.answer(stream, &wire.Error{Code: code})
	stream.CancelRead(0)
}

// answer writes the answer of a request. That it can't be written shows to the
// peer as a closed stream; there is nobody else to tell.
func (s *Server) answer(stream *quic.Stream, m wire.Message) error {
	stream.SetWriteDeadline(time.Now().Add(requestTimeout))
	return wire.WriteMessage(stream, m)
}

// sourceOf is the part of the peer's address that one customer has: an IPv4
// address, or an IPv6 /64.
func sourceOf(conn *quic.Conn) netip.Prefix {
	addr := forward.AddrPortOf(conn.RemoteAddr()).Addr().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
