package tunnel

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// relayConn is an authenticated control connection to a relay.
type relayConn struct {
	*quic.Conn
	transport *quic.Transport
	socket    net.PacketConn
	addr      netip.AddrPort // where the relay answered; legs go there too
}

// dialRelay connects to the relay at the first of its addresses that answers.
// They are tried in turn, each with a head start over the next (RFC 8305).
func dialRelay(ctx context.Context, id *auth.Identity, relay auth.RelayURL, control controlFunc) (*relayConn, error) {
	addrs, err := resolve(ctx, relay.Host)
	if err != nil {
		return nil, &UnreachableError{Relay: relay.Host, Err: err}
	}
	tlsConf, err := relayTLS(id, relay)
	if err != nil {
		return nil, err
	}
	conn, err := race(ctx, addrs, func(ctx context.Context, addr netip.AddrPort) (*relayConn, error) {
		return dialAddr(ctx, addr, tlsConf, control)
	})
	if err != nil {
		return nil, relayError(relay, err)
	}
	return conn, nil
}

// relayTLS pins the relay's key, or trusts the public web's authorities when
// the URL has no pin.
func relayTLS(id *auth.Identity, relay auth.RelayURL) (*tls.Config, error) {
	cert, err := id.Certificate(time.Now())
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(relay.Host)
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS13,
		NextProtos:   []string{wire.ALPNControl},
		ServerName:   host,
	}
	if !relay.Pin.IsZero() {
		conf.InsecureSkipVerify = true // the pin takes the place of the chain
		conf.VerifyConnection = auth.PinRelay(relay.Pin)
	}
	return conf, nil
}

func dialAddr(ctx context.Context, addr netip.AddrPort, tlsConf *tls.Config, control controlFunc) (*relayConn, error) {
	ctx, cancel := context.WithTimeout(ctx, relayTimeout)
	defer cancel()
	lc := net.ListenConfig{Control: control}
	socket, err := lc.ListenPacket(ctx, "udp", unspecifiedLike(addr))
	if err != nil {
		return nil, err
	}
	transport := &quic.Transport{Conn: socket}
	conn, err := transport.Dial(ctx, net.UDPAddrFromAddrPort(addr), tlsConf, &quic.Config{
		HandshakeIdleTimeout: relayTimeout / 2,
		MaxIdleTimeout:       controlIdle,
		KeepAlivePeriod:      controlIdle / 2,
		MaxIncomingStreams:   maxSessions,
	})
	if err != nil {
		transport.Close()
		socket.Close()
		return nil, err
	}
	return &relayConn{Conn: conn, transport: transport, socket: socket, addr: addr}, nil
}

func unspecifiedLike(addr netip.AddrPort) string {
	if addr.Addr().Is4() {
		return "0.0.0.0:0"
	}
	return "[::]:0"
}

// close ends the connection, telling the relay.
func (c *relayConn) close() {
	c.CloseWithError(quic.ApplicationErrorCode(wire.CloseNone), "")
	c.transport.Close()
	c.socket.Close()
}

// ask sends one request on a stream of its own and reads its answer.
func ask[Answer wire.Message](ctx context.Context, c *relayConn, request wire.Message) (Answer, error) {
	var none Answer
	stream, err := c.OpenStreamSync(ctx)
	if err != nil {
		return none, refusedBy("relay", err)
	}
	defer stream.CancelRead(0)
	stop := context.AfterFunc(ctx, func() { stream.SetDeadline(time.Now()) })
	defer stop()
	if err := wire.WriteMessage(stream, request); err != nil {
		return none, refusedBy("relay", err)
	}
	stream.Close()
	answer, err := wire.Expect[Answer](stream)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return answer, refusedBy("relay", err)
}

// relayError tells a relay that can't be reached from one that answered wrongly.
func relayError(relay auth.RelayURL, err error) error {
	var mismatch *auth.KeyMismatchError
	var unknown *tls.CertificateVerificationError
	switch {
	case errors.As(err, &mismatch):
		return mismatch
	case errors.As(err, &unknown):
		return &UntrustedRelayError{Relay: relay.Host, Err: unknown.Err}
	}
	var refused *RefusedError
	if refusal := refusedBy("relay", err); errors.As(refusal, &refused) {
		return refused
	}
	return &UnreachableError{Relay: relay.Host, Err: plainly(err)}
}
