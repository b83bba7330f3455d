package tunnel_test

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
	"github.com/lethe-relay/lethe/tunnel"
)

// evilRelay speaks the protocol of a relay and does with sessions what the test says. It has the real data plane:
// a relay that forwards badly is only a bad network.
type evilRelay struct {
	t     testing.TB
	plane *forward.Plane
	url   auth.RelayURL

	// guarded by mu
	mu      sync.Mutex
	routers map[auth.RouterID]*quic.Conn
	opens   openFunc
}

// openFunc decides what a device gets for its request.
type openFunc func(device ed25519.PublicKey, m *wire.Open) wire.Message

func (e *evilRelay) onOpen(f openFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.opens = f
}

func (e *evilRelay) open(device ed25519.PublicKey, m *wire.Open) wire.Message {
	e.mu.Lock()
	f := e.opens
	e.mu.Unlock()
	return f(device, m)
}

func newEvilRelay(t testing.TB) *evilRelay {
	t.Helper()
	plane, err := forward.Listen(forward.Config{
		Listen: loopback4, Sockets: 1, BufferBytes: 1 << 20, MaxSessions: 128, IdleTimeout: time.Minute, OneWayBytes: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	conf := identityTLS(t, newIdentity(t), wire.ALPNControl)
	e := &evilRelay{t: t, plane: plane, routers: make(map[auth.RouterID]*quic.Conn), url: auth.RelayURL{
		Host: plane.LocalAddr().String(), Pin: auth.RelayPinOf(conf.Certificates[0].Leaf),
	}}
	ctx, cancel := context.WithCancel(context.Background())
	control := plane.ControlConn()
	transport := &quic.Transport{Conn: control, ConnContext: func(conn context.Context, info *quic.ClientInfo) (context.Context, error) {
		context.AfterFunc(conn, control.Expect(info.RemoteAddr))
		return conn, nil
	}}
	listener, err := transport.Listen(conf, &quic.Config{MaxIncomingStreams: 100})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { plane.Run(ctx) })
	running.Go(func() {
		for {
			conn, err := listener.Accept(ctx)
			if err != nil {
				return
			}
			running.Go(func() { e.serve(ctx, conn) })
		}
	})
	t.Cleanup(func() {
		transport.Close()
		cancel()
		running.Wait()
	})
	return e
}

// identityTLS presents an identity to anybody, and takes any answer.
func identityTLS(t testing.TB, id *auth.Identity, protocol string) *tls.Config {
	t.Helper()
	cert, err := id.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert,
		InsecureSkipVerify: true, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS13,
	}
}

func (e *evilRelay) serve(ctx context.Context, conn *quic.Conn) {
	key, err := auth.PeerKey(conn.ConnectionState().TLS)
	if err != nil {
		return
	}
	for {
		stream, err := conn.AcceptStream(ctx)
		if err != nil {
			return
		}
		m, err := wire.ReadMessage(stream)
		if err != nil {
			continue
		}
		switch m := m.(type) {
		case *wire.Register:
			e.mu.Lock()
			e.routers[auth.RouterIDOf(key)] = conn
			e.mu.Unlock()
			wire.WriteMessage(stream, &wire.Registered{IdleTimeout: time.Minute, PresenceTimeout: time.Minute})
		case *wire.Open:
			wire.WriteMessage(stream, e.open(key, m))
		}
		stream.Close()
	}
}

func (e *evilRelay) newSession() *forward.Session {
	s, err := e.plane.NewSession(nil)
	if err != nil {
		e.t.Error(err)
	}
	return s
}

// push offers a router a session and returns its answer.
func (e *evilRelay) push(router auth.RouterID, leg *forward.Leg, device ed25519.PublicKey, grant []byte, purpose wire.Purpose) error {
	e.mu.Lock()
	conn := e.routers[router]
	e.mu.Unlock()
	stream, err := conn.OpenStreamSync(conn.Context())
	if err != nil {
		return err
	}
	defer stream.CancelRead(0)
	stream.SetDeadline(time.Now().Add(patience))
	if err := wire.WriteMessage(stream, &wire.Incoming{
		Leg: leg.ID(), Secret: leg.Secret(), Device: [32]byte(device), Grant: grant, Purpose: purpose,
	}); err != nil {
		return err
	}
	stream.Close()
	_, err = wire.Expect[*wire.Accept](stream)
	return err
}

// end binds one of the relay's own ends to a leg.
func (e *evilRelay) end(ctx context.Context, leg *forward.Leg) *quic.Transport {
	transport, closed, err := tunnel.BindTransport(ctx, e.plane.LocalAddr(), leg.ID(), leg.Secret())
	if err != nil {
		e.t.Error(err)
		return nil
	}
	e.t.Cleanup(closed)
	return transport
}

func opened(leg *forward.Leg) wire.Message { return &wire.Opened{Leg: leg.ID(), Secret: leg.Secret()} }
