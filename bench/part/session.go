package part

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// A rawSession is a session without a tunnel: admitted by the relay as any
// other, but its legs are bare sockets.
type rawSession struct {
	relay          netip.AddrPort
	device, router rawLeg
	control        []*quic.Conn
	transports     []*quic.Transport
}

// rawLeg is a bound leg.
type rawLeg struct {
	id     wire.LegID
	secret wire.LegSecret
	conn   *udpio.Conn
}

// openRaw registers a router, opens a session to it as the device, and binds
// both legs. The caller closes the session, also after an error.
func openRaw(ctx context.Context, url auth.RelayURL, router, device *auth.Identity, grant []byte) (*rawSession, error) {
	s := &rawSession{}
	addr, err := netip.ParseAddrPort(url.Host)
	if err != nil {
		return s, err
	}
	s.relay = addr
	registered, err := s.dial(ctx, url, router)
	if err != nil {
		return s, err
	}
	if _, err := ask[*wire.Registered](ctx, registered, &wire.Register{Token: url.Token[:]}); err != nil {
		return s, err
	}
	accepted := make(chan error, 1)
	go func() { accepted <- s.accept(ctx, registered) }()
	opening, err := s.dial(ctx, url, device)
	if err != nil {
		return s, err
	}
	opened, err := ask[*wire.Opened](ctx, opening, &wire.Open{Router: router.RouterID(), Grant: grant, Purpose: wire.PurposeTunnel})
	if err != nil {
		return s, err
	}
	if err := <-accepted; err != nil {
		return s, err
	}
	s.device.id, s.device.secret = opened.Leg, opened.Secret
	return s, s.device.bind(s.relay)
}

func (s *rawSession) close() {
	for _, leg := range []rawLeg{s.device, s.router} {
		if leg.conn != nil {
			leg.conn.Close()
		}
	}
	for _, conn := range s.control {
		conn.CloseWithError(0, "")
	}
	for _, t := range s.transports {
		t.Close()
		t.Conn.Close()
	}
}

// dial opens a control connection.
func (s *rawSession) dial(ctx context.Context, url auth.RelayURL, id *auth.Identity) (*quic.Conn, error) {
	cert, err := id.Certificate(time.Now())
	if err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	transport := &quic.Transport{Conn: socket}
	s.transports = append(s.transports, transport)
	conn, err := transport.Dial(ctx, net.UDPAddrFromAddrPort(s.relay), &tls.Config{
		Certificates:       []tls.Certificate{cert},
		NextProtos:         []string{wire.ALPNControl},
		InsecureSkipVerify: true, // the pin takes the place of the chain
		VerifyConnection:   auth.PinRelay(url.Pin),
	}, &quic.Config{KeepAlivePeriod: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	s.control = append(s.control, conn)
	return conn, nil
}

// accept takes one push of the relay, as a router does.
func (s *rawSession) accept(ctx context.Context, conn *quic.Conn) error {
	stream, err := conn.AcceptStream(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	m, err := wire.Expect[*wire.Incoming](stream)
	if err != nil {
		return err
	}
	s.router.id, s.router.secret = m.Leg, m.Secret
	if err := s.router.bind(s.relay); err != nil {
		return err
	}
	return wire.WriteMessage(stream, &wire.Accept{})
}

func ask[Answer wire.Message](ctx context.Context, conn *quic.Conn, request wire.Message) (Answer, error) {
	var none Answer
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return none, err
	}
	if err := wire.WriteMessage(stream, request); err != nil {
		return none, err
	}
	stream.Close()
	return wire.Expect[Answer](stream)
}

// bind opens the leg's socket and binds it: BIND, COOKIE, BIND, BOUND.
func (l *rawLeg) bind(relay netip.AddrPort) (err error) {
	l.conn, err = udpio.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpio.Config{BufferBytes: legBuffer})
	if err != nil {
		return err
	}
	l.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	defer l.conn.SetReadDeadline(time.Time{})
	cookie, err := l.exchange(relay, wire.LegMessage{Type: wire.TypeBind, Leg: l.id, Counter: 1})
	if err != nil {
		return err
	}
	bound, err := l.exchange(relay, wire.LegMessage{Type: wire.TypeBind, Leg: l.id, Counter: 2, Cookie: cookie.Cookie})
	if err == nil && bound.Type != wire.TypeBound {
		err = fmt.Errorf("the relay answered a BIND that echoes its cookie with message type %d", bound.Type)
	}
	return err
}

// exchange sends a leg message and reads the answer. Loopback loses neither.
func (l *rawLeg) exchange(relay netip.AddrPort, m wire.LegMessage) (wire.LegMessage, error) {
	question := m.Append(nil, &l.secret)
	out := []udpio.Message{{Buf: question, N: len(question), Path: udpio.Path{Remote: udpio.AddrFrom(relay)}}}
	if err := l.conn.NewWriter(1).WriteBatch(out); err != nil {
		return wire.LegMessage{}, err
	}
	in := udpio.NewBatch(1)
	if _, err := l.conn.NewReader(1).ReadBatch(in); err != nil {
		return wire.LegMessage{}, err
	}
	return wire.ParseLegMessage(in[0].Buf[:in[0].N])
}
