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
	mu       sync.Mutex
	routers  map[auth.RouterID]*quic.Conn
	opens    openFunc
	answers  wire.Message          // to a login or an inspection
	asked    wire.Message          // the last of these
	bindings map[[32]byte][32]byte // of the connection that a device key asked on last
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
	e := &evilRelay{t: t, plane: plane, routers: make(map[auth.RouterID]*quic.Conn), bindings: make(map[[32]byte][32]byte), url: auth.RelayURL{
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
			e.bind(conn, key)
			wire.WriteMessage(stream, e.open(key, m))
		default:
			wire.WriteMessage(stream, e.answer(m))
		}
		stream.Close()
	}
}

// bind notes what evidence on this connection must be bound to.
func (e *evilRelay) bind(conn *quic.Conn, key ed25519.PublicKey) {
	binding, err := auth.ExportEvidence(conn.ConnectionState().TLS)
	if err != nil {
		e.t.Error(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bindings[[32]byte(key)] = binding
}

func (e *evilRelay) binding(key ed25519.PublicKey) [32]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.bindings[[32]byte(key)]
}

// answerWith sets the answer to a login or an inspection, and returns the last of these.
func (e *evilRelay) answerWith(m wire.Message) (asked wire.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers = m
	return e.asked
}

func (e *evilRelay) answer(m wire.Message) wire.Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = m
	return e.answers
}

func (e *evilRelay) newSession() *forward.Session {
	s, err := e.plane.NewSession(forward.Hooks{})
	if err != nil {
		e.t.Error(err)
	}
	return s
}

// push offers a router a session and returns its answer.
func (e *evilRelay) push(router auth.RouterID, leg *forward.Leg, device ed25519.PublicKey, grant []byte, purpose wire.Purpose) error {
	return e.tell(router, &wire.Incoming{
		Leg: leg.ID(), Secret: leg.Secret(), Device: [32]byte(device), Grant: grant, Purpose: purpose,
	})
}

// tell pushes a message to a router and returns its answer.
func (e *evilRelay) tell(router auth.RouterID, m wire.Message) error {
	e.mu.Lock()
	conn := e.routers[router]
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(conn.Context(), patience)
	defer cancel()
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	defer stream.CancelRead(0)
	stream.SetDeadline(time.Now().Add(patience))
	if err := wire.WriteMessage(stream, m); err != nil {
		return err
	}
	stream.Close()
	_, err = wire.Expect[*wire.Accept](stream)
	return err
}

// carry makes the relay a good one, but for what it vouches for. The result gets the sessions that it makes, and the
// requests that it made them for.
func (e *evilRelay) carry(w *world, vouched wire.Vouched) <-chan carried {
	sessions := make(chan carried, 100)
	e.onOpen(func(device ed25519.PublicKey, m *wire.Open) wire.Message {
		s := e.newSession()
		if err := e.tell(w.router.RouterID(), &wire.Incoming{
			Leg: s.Router.ID(), Secret: s.Router.Secret(), Device: [32]byte(device), Grant: m.Grant, Vouched: vouched,
		}); err != nil {
			e.t.Error(err)
		}
		sessions <- carried{m, s}
		return opened(s.Device)
	})
	return sessions
}

type carried struct {
	open    *wire.Open
	session *forward.Session
}

// raw opens a tunnel for w's device that does in it whatever the test says.
func (e *evilRelay) raw(w *world, conf *quic.Config) (*quic.Conn, *forward.Session) {
	w.t.Helper()
	s := e.newSession()
	grant := w.grant(w.device.PublicKey(), time.Hour, auth.AllServices)
	if err := e.push(w.router.RouterID(), s.Router, w.device.PublicKey(), grant, wire.PurposeTunnel); err != nil {
		w.t.Fatal(err)
	}
	transport, closed, err := tunnel.BindTransport(w.context(), e.plane.LocalAddr(), s.Device.ID(), s.Device.Secret())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(closed)
	conn, err := transport.Dial(w.context(), tunnel.VirtualPeer(), identityTLS(w.t, w.device, wire.ALPNTunnel), conf)
	if err != nil {
		w.t.Fatal(err)
	}
	return conn, s
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
