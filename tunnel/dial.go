package tunnel

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Router is what a device knows of a router it is paired with.
type Router struct {
	Relay auth.RelayURL // where the router registers; needs no token
	ID    auth.RouterID // whose key the tunnel pins
	Grant []byte        // the router's leave for this device's key; see [auth.ParseGrant]
}

// DialConfig says who dials whom.
type DialConfig struct {
	Identity *auth.Identity // the device's
	Router   Router

	// Control is called with every socket before it is bound, as in
	// [net.ListenConfig]. It may be nil.
	Control func(network, address string, c syscall.RawConn) error
}

// Tunnel is the device's end of a tunnel. It is safe for concurrent use.
type Tunnel struct {
	session *session
	router  auth.RouterID
}

// Dial opens a tunnel to the router. ctx bounds the dialling only.
//
// Errors: [*UnreachableError], [*UntrustedRelayError] and
// [*auth.KeyMismatchError] about the relay; [*RefusedError] from relay or
// router; [ErrLegNotBound]; [*auth.KeyMismatchError] when somebody else than
// the router answered.
func Dial(ctx context.Context, cfg DialConfig) (*Tunnel, error) {
	s, err := openSession(ctx, cfg.Identity, cfg.Router.Relay, cfg.Control, &wire.Open{
		Router: cfg.Router.ID, Grant: cfg.Router.Grant, Purpose: wire.PurposeTunnel,
	})
	if err != nil {
		return nil, err
	}
	if err := s.dial(ctx, cfg.Identity, cfg.Router.ID); err != nil {
		s.close("")
		return nil, err
	}
	// A dead tunnel must not go on binding its leg until somebody looks at it.
	context.AfterFunc(s.conn.Context(), func() { s.close("") })
	return &Tunnel{session: s, router: cfg.Router.ID}, nil
}

// openSession asks the relay for a session and binds its device leg. The
// control connection is not needed after that: the session lives on by its
// legs alone.
func openSession(ctx context.Context, id *auth.Identity, relay auth.RelayURL, control controlFunc, request *wire.Open) (*session, error) {
	conn, err := dialRelay(ctx, id, relay, control)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	asking, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	opened, err := ask[*wire.Opened](asking, conn, request)
	if err != nil {
		return nil, relayError(relay, err)
	}
	return bindSession(ctx, conn.addr, opened.Leg, opened.Secret, control)
}

// Open opens a stream to a service of the router. It does not wait for the
// router's answer, which would cost a round trip: a refusal, as
// [*RefusedError], is the result of the first Read.
func (t *Tunnel) Open(ctx context.Context, service string) (*Stream, error) {
	if !wire.ValidServiceName(service) {
		return nil, fmt.Errorf("%q can't be the name of a service: names have 1 to 32 of a-z, 0-9 and -", service)
	}
	qs, err := t.session.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, streamError("router", err)
	}
	if err := wire.WriteMessage(qs, &wire.ServiceOpen{Service: service}); err != nil {
		qs.CancelRead(0)
		qs.CancelWrite(0)
		return nil, streamError("router", err)
	}
	return newStream(qs, service), nil
}

// DialContext opens a stream to service whatever network and address are
// asked for. It fits http.Transport and everything else that takes a dialer.
func (t *Tunnel) DialContext(service string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return t.Open(ctx, service) }
}

// Router is the RouterID of the other end, proved by its key.
func (t *Tunnel) Router() auth.RouterID { return t.router }

// Done is closed when the tunnel has ended; Err then says why.
func (t *Tunnel) Done() <-chan struct{} { return t.session.conn.Context().Done() }

// Err is nil while the tunnel lives, [net.ErrClosed] after Close.
func (t *Tunnel) Err() error {
	return streamError("router", context.Cause(t.session.conn.Context()))
}

// Stalled tells that nothing has come through for some seconds. Either a network
// is gone, and the tunnel may recover; or relay or router no longer know it, and
// it will end when its idle time-out is over. A new tunnel waits for neither.
func (t *Tunnel) Stalled() bool { return t.session.leg.isStalled() }

// Rebind moves the tunnel to a new socket, and so to whatever network the
// machine prefers now. Streams go on. The tunnel does this by itself when the
// relay stops answering; an app that is told of a new network can be faster.
func (t *Tunnel) Rebind() error { return t.session.leg.rebind() }

// Close ends the tunnel and all of its streams.
func (t *Tunnel) Close() error {
	t.session.close("")
	return nil
}

// ConnectionState tells what QUIC and TLS have agreed on.
func (t *Tunnel) ConnectionState() quic.ConnectionState { return t.session.conn.ConnectionState() }
