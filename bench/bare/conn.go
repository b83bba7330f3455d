package bare

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// keepAlive is well below what a relay waits for a silent router, which is 15 s.
const keepAlive = 5 * time.Second

// Conn is a control connection to a relay. It is safe for concurrent use.
type Conn struct {
	relay     netip.AddrPort
	from      netip.Addr
	quic      *quic.Conn
	transport *quic.Transport
	socket    *net.UDPConn
}

// Dial connects to the relay from an address of this machine. The caller closes
// the Conn; legs that came of it live on.
func Dial(ctx context.Context, url auth.RelayURL, id *auth.Identity, from netip.Addr) (*Conn, error) {
	relay, err := netip.ParseAddrPort(url.Host)
	if err != nil {
		return nil, err
	}
	cert, err := id.Certificate(time.Now())
	if err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)))
	if err != nil {
		return nil, err
	}
	c := &Conn{relay: relay, from: from, socket: socket, transport: &quic.Transport{Conn: socket}}
	c.quic, err = c.transport.Dial(ctx, net.UDPAddrFromAddrPort(relay), &tls.Config{
		Certificates:       []tls.Certificate{cert},
		NextProtos:         []string{wire.ALPNControl},
		InsecureSkipVerify: true, // the pin takes the place of the chain
		VerifyConnection:   auth.PinRelay(url.Pin),
	}, &quic.Config{KeepAlivePeriod: keepAlive})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Relay is where the relay is, for legs too.
func (c *Conn) Relay() netip.AddrPort { return c.relay }

// Certificate is what the relay has shown.
func (c *Conn) Certificate() *x509.Certificate {
	return c.quic.ConnectionState().TLS.PeerCertificates[0]
}

// Close ends the connection. Closing again does nothing.
func (c *Conn) Close() {
	if c.quic != nil {
		c.quic.CloseWithError(0, "")
	}
	c.transport.Close()
	c.socket.Close()
}

// Register makes the connection that of a router.
func (c *Conn) Register(ctx context.Context, token auth.Token) error {
	_, err := ask[*wire.Registered](ctx, c.quic, &wire.Register{Token: token[:]})
	return err
}

// Open asks for a session with a router, as the device that the grant is for,
// and binds its leg. The caller closes the leg.
func (c *Conn) Open(ctx context.Context, router auth.RouterID, grant []byte) (*Leg, error) {
	return c.OpenWith(ctx, &wire.Open{Router: router, Grant: grant, Purpose: wire.PurposeTunnel})
}

// OpenWith is Open with a request of the caller's own, such as one that [Conn.Show]
// has put evidence into.
func (c *Conn) OpenWith(ctx context.Context, request *wire.Open) (*Leg, error) {
	m, err := ask[*wire.Opened](ctx, c.quic, request)
	if err != nil {
		return nil, err
	}
	return bind(ctx, c, Ticket{ID: m.Leg, Secret: m.Secret})
}

// Show puts evidence of where the device is into a request, blinded with its
// pairing secret. The proofs are good on this connection only.
func (c *Conn) Show(request *wire.Open, secret [32]byte, here ecv.Evidence) error {
	binding, err := auth.ExportEvidence(c.quic.ConnectionState().TLS)
	if err != nil {
		return err
	}
	at := ecv.Context{Binding: binding, Router: request.Router}
	if here.WiFi != nil {
		request.WiFi = ecv.ProveWiFi(secret, *here.WiFi, at)
	}
	if here.Place != nil {
		request.Geo = ecv.ProveGeo(secret, *here.Place, at)
	}
	request.ObservationKey = ecv.ObservationKey(secret)
	return nil
}

// Accept takes the next session that a device opens, and binds its leg. The
// caller closes the leg. Several goroutines may wait at once.
func (c *Conn) Accept(ctx context.Context) (leg *Leg, err error) {
	err = c.meet(ctx, func(t Ticket) (err error) {
		leg, err = bind(ctx, c, t)
		return err
	})
	if err != nil && leg != nil {
		leg.Close()
		leg = nil
	}
	return leg, err
}

// ask sends a request on a stream of its own and reads the answer.
func ask[Answer wire.Message](ctx context.Context, conn *quic.Conn, request wire.Message) (Answer, error) {
	var none Answer
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return none, err
	}
	stop := context.AfterFunc(ctx, func() { stream.SetDeadline(time.Now()) })
	defer stop()
	if err := wire.WriteMessage(stream, request); err != nil {
		return none, err
	}
	stream.Close()
	return wire.Expect[Answer](stream)
}
