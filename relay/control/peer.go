package control

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/forgetful"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

// peer is one authenticated connection: a router's once it has registered, a
// device's otherwise.
type peer struct {
	conn   *quic.Conn
	key    ed25519.PublicKey
	addr   netip.Addr   // where the connection comes from; it can't move
	source netip.Prefix // what limits by source go by
	linger *time.Timer  // closes the connection unless it asks or is a router's

	revoked  atomic.Pointer[auth.Revocations] // by the router that this is; nil if it has said none
	requests atomic.Int32                     // being answered
}

// learn takes a router's revocations, unless it has newer ones: a router that
// was set back to an older state does not bring its old grants back.
func (p *peer) learn(r *auth.Revocations) {
	for r != nil {
		known := p.revoked.Load()
		if known != nil && known.Number >= r.Number || p.revoked.CompareAndSwap(known, r) {
			return
		}
	}
}

// letIn decides about a connection before its handshake, when its address has
// passed Retry. Until the connection ends it has a place in the counts, and its
// address is one that the ControlConn expects.
func (s *Server) letIn(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	source := sourceOf(info.RemoteAddr)
	code := codeOK
	switch {
	case s.bySource.Take(source, time.Now()) > 0, !s.perSource.Take(source):
		code = wire.CodeRateLimited
	case !s.all.Take(struct{}{}):
		s.perSource.Return(source)
		code = wire.CodeRateLimited
	}
	s.Connections.count(code)
	if code != codeOK {
		return nil, code
	}
	forget := s.cfg.Plane.ControlConn().Expect(info.RemoteAddr)
	context.AfterFunc(ctx, func() {
		forgetful.Do(func() {
			forget()
			s.all.Return(struct{}{})
			s.perSource.Return(source)
		})
		s.over()
	})
	return ctx, nil
}

// serve answers the requests of one connection until it ends. Most of the time it
// waits, for as many connections as there are routers: so it has the smallest stack
// there is, and what needs a larger one runs elsewhere.
func (s *Server) serve(ctx context.Context, conn *quic.Conn) {
	var p *peer
	forgetful.Apart(func() { p = s.meet(conn) })
	if p == nil {
		return
	}
	for {
		stream, err := conn.AcceptStream(ctx)
		if err != nil {
			break
		}
		s.take(p, stream)
	}
	forgetful.Apart(func() { s.leave(ctx, p) })
}

// meet makes the peer of a connection that has begun. Nil: its key is none of ours,
// and the connection is closed.
func (s *Server) meet(conn *quic.Conn) *peer {
	key, err := auth.PeerKey(conn.ConnectionState().TLS)
	if err != nil {
		conn.CloseWithError(closeWith(wire.CodeBadRequest), "")
		return nil
	}
	p := &peer{conn: conn, key: key, addr: forward.AddrPortOf(conn.RemoteAddr()).Addr(), source: sourceOf(conn.RemoteAddr())}
	s.held.connected(p)
	p.linger = time.AfterFunc(s.timeouts.linger, func() { forgetful.Do(func() { s.closeIdle(p) }) })
	return p
}

// take answers one stream in a goroutine of its own.
func (s *Server) take(p *peer, stream *quic.Stream) {
	p.requests.Add(1)
	s.peers.Go(func() {
		defer p.requests.Add(-1)
		forgetful.Do(func() { s.request(p, stream) })
	})
}

// leave forgets a peer whose connection has ended, or ends with the relay.
func (s *Server) leave(ctx context.Context, p *peer) {
	p.linger.Stop()
	s.held.gone(p)
	if ctx.Err() != nil {
		p.conn.CloseWithError(closeWith(wire.CodeShuttingDown), "")
	}
}

// closeIdle closes the connection of a device that has stopped asking. A
// router may be as quiet as it likes.
func (s *Server) closeIdle(p *peer) {
	if r, present := s.presence.Get(auth.RouterIDOf(p.key)); present && r == p {
		return
	}
	p.conn.CloseWithError(closeWith(codeOK), "")
}

// request answers one stream.
func (s *Server) request(p *peer, stream *quic.Stream) {
	defer stream.Close()
	stream.SetDeadline(time.Now().Add(s.timeouts.request))
	msg, err := wire.ReadMessage(stream)
	if err != nil {
		s.refuse(stream, &wire.Error{Code: codeOfRequest(err)})
		return
	}
	stream.SetDeadline(time.Time{})
	switch m := msg.(type) {
	case *wire.Register:
		s.register(p, stream, m)
	case *wire.Open:
		s.open(p, stream, m)
	case *wire.Login:
		s.login(p, stream)
	case *wire.Inspect:
		s.inspect(p, stream, m)
	default:
		s.refuse(stream, &wire.Error{Code: wire.CodeBadRequest})
	}
	readEnd(stream)
}

// readEnd reads the end of a stream whose one message has been read. Until then
// the stream is not over for QUIC, and takes the place of another.
func readEnd(stream *quic.Stream) {
	stream.SetReadDeadline(time.Now().Add(endTimeout))
	stream.Read(make([]byte, 1))
	stream.CancelRead(0)
}

// codeOfRequest tells a peer that is ahead of this relay from one that is wrong.
func codeOfRequest(err error) wire.Code {
	if errors.Is(err, wire.ErrUnknownType) || errors.Is(err, wire.ErrUnknownCritical) {
		return wire.CodeUnsupported
	}
	return wire.CodeBadRequest
}

// refuse answers with an error and stops reading.
func (s *Server) refuse(stream *quic.Stream, why *wire.Error) {
	s.answer(stream, why)
	stream.CancelRead(0)
}

// answer writes the answer of a request. That it can't be written shows to the
// peer as a closed stream; there is nobody else to tell.
func (s *Server) answer(stream *quic.Stream, m wire.Message) error {
	stream.SetWriteDeadline(time.Now().Add(s.timeouts.request))
	return wire.WriteMessage(stream, m)
}

// sourceOf is the part of the peer's address that one customer has: an IPv4
// address, or an IPv6 /64.
func sourceOf(remote net.Addr) netip.Prefix {
	return sourceOfAddr(forward.AddrPortOf(remote).Addr().WithZone(""))
}

func sourceOfAddr(addr netip.Addr) netip.Prefix {
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
