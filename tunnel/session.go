package tunnel

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// session is one end of a tunnel with all that it owns: leg, QUIC transport
// and connection.
type session struct {
	leg       *leg
	transport *quic.Transport
	window    *windowShare
	closed    sync.Once

	// conn is set once, when the handshake is complete. Whoever has completed it
	// may read it without the lock; close, which may come at any time, may not.
	conn      *quic.Conn
	accepting *accepting // while a router waits for its device
	connMu    sync.Mutex
}

// accepting is a handshake that a router waits for.
type accepting struct {
	listener *quic.Listener
	over     chan struct{} // closed when nobody waits any more
}

// bindSession opens and binds a leg for a session that the relay has made. The
// tunnel's window will grow within the budget.
func bindSession(ctx context.Context, relay netip.AddrPort, id wire.LegID, secret wire.LegSecret, control controlFunc, windows *windowBudget) (*session, error) {
	l, err := newLeg(relay, id, secret, control)
	if err != nil {
		return nil, err
	}
	if err := l.bind(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return &session{leg: l, transport: &quic.Transport{Conn: packetConn(l)}, window: windows.share()}, nil
}

// dial completes the tunnel from the device's end.
func (s *session) dial(ctx context.Context, id *auth.Identity, router auth.RouterID) error {
	conf, err := tunnelTLS(id, auth.PinRouter(router))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn, err := s.transport.Dial(ctx, virtualPeer(), conf, deviceQUIC(s.window))
	if err != nil {
		return handshakeError("router", err)
	}
	s.complete(conn)
	return nil
}

// accept completes the tunnel from the router's end, with this device only.
func (s *session) accept(ctx context.Context, id *auth.Identity, device ed25519.PublicKey) error {
	conf, err := tunnelTLS(id, auth.PinDevice(device))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout, context.DeadlineExceeded)
	defer cancel()
	if err := s.acceptOne(ctx, conf); err != nil {
		return handshakeError("device", err)
	}
	return nil
}

// await notes that a handshake is waited for, until the result is called.
func (s *session) await(l *quic.Listener) (over func()) {
	a := &accepting{listener: l, over: make(chan struct{})}
	s.connMu.Lock()
	defer s.connMu.Unlock()
	s.accepting = a
	return func() { close(a.over) }
}

func (s *session) complete(conn *quic.Conn) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	s.conn = conn
	if s.leg != nil {
		consumed := func() uint64 { return conn.ConnectionStats().BytesReceived }
		s.leg.feed.consumed.Store(&consumed)
	}
}

// acceptOne accepts the first connection, whatever becomes of it: a session is
// for one tunnel. A listener keeps failed handshakes to itself, so we watch the
// context of the connection, which ends with the reason.
func (s *session) acceptOne(ctx context.Context, conf *tls.Config) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	first := make(chan struct{}, 1)
	s.transport.ConnContext = func(conn context.Context, _ *quic.ClientInfo) (context.Context, error) {
		select {
		case first <- struct{}{}:
			context.AfterFunc(conn, func() { fail(context.Cause(conn)) })
			return conn, nil
		default:
			return nil, errSecondConnection
		}
	}
	listener, err := s.transport.Listen(conf, routerQUIC(s.window))
	if err != nil {
		return err
	}
	over := s.await(listener)
	defer over()
	conn, err := listener.Accept(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	s.complete(conn)
	return nil
}

var errSecondConnection = errors.New("a session is for one tunnel")

// established returns the tunnel's connection, if there is one. No handshake is
// taken any more; one that is over, but not noted yet, is waited for: its
// connection has to be closed with a word to the device.
func (s *session) established() *quic.Conn {
	s.connMu.Lock()
	a := s.accepting
	s.connMu.Unlock()
	if a != nil {
		a.listener.Close()
		<-a.over
	}
	s.connMu.Lock()
	defer s.connMu.Unlock()
	return s.conn
}

// close ends the tunnel, telling the other end, and the session at the relay.
func (s *session) close(code wire.Code) {
	s.closed.Do(func() {
		s.leg.SetWriteDeadline(time.Now().Add(farewellTimeout))
		if conn := s.established(); conn != nil {
			number := wire.CloseNone
			if code != "" {
				number = code.CloseNumber()
			}
			conn.CloseWithError(quic.ApplicationErrorCode(number), "")
		}
		s.transport.Close()
		s.leg.Close()
		s.window.end()
	})
}

// tunnelTLS is TLS 1.3 with the peer's key pinned. There are no session
// tickets: each tunnel proves both keys anew.
func tunnelTLS(id *auth.Identity, pin func(tls.ConnectionState) error) (*tls.Config, error) {
	cert, err := id.Certificate(time.Now())
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates:           []tls.Certificate{cert},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // the pin takes the place of the chain
		VerifyConnection:       pin,
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{wire.ALPNTunnel},
		ServerName:             "lethe", // says nothing; quic-go would put the virtual address
		CurvePreferences:       []tls.CurveID{tls.X25519MLKEM768, tls.X25519},
		SessionTicketsDisabled: true,
	}, nil
}

// deviceQUIC takes no streams: devices ask, routers answer.
func deviceQUIC(window *windowShare) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:          handshakeTimeout / 2,
		MaxIdleTimeout:                tunnelIdle,
		KeepAlivePeriod:               tunnelKeepAlive,
		MaxIncomingStreams:            -1,
		MaxIncomingUniStreams:         -1,
		MaxStreamReceiveWindow:        streamWindow,
		MaxConnectionReceiveWindow:    connWindow,
		AllowConnectionWindowIncrease: window.allow,
	}
}

func routerQUIC(window *windowShare) *quic.Config {
	c := deviceQUIC(window)
	c.MaxIncomingStreams = 1 + maxStreams // the first shows evidence
	return c
}
