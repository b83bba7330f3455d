package tunnel

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Router is what a device knows of a router it is paired with.
type Router struct {
	Relay auth.RelayURL // where the router registers; needs no token
	ID    auth.RouterID // whose key the tunnel pins
	Grant []byte        // the router's leave for this device's key; see [auth.ParseGrant]

	// Secret is the pairing secret. It blinds the evidence that the device
	// shows. When it is zero, none is shown.
	Secret [32]byte
}

// DialConfig says who dials whom.
type DialConfig struct {
	Identity *auth.Identity // the device's
	Router   Router

	// Environment is where evidence comes from. Nil shows none.
	Environment Environment

	// IDToken is an OpenID Connect ID token for a relay that wants one, see
	// package tunnel/login. It may be empty.
	IDToken string

	// Renewed gets a fresh grant that the router has given. From the next tunnel
	// on it takes the place of Router.Grant, which goes on being good until then.
	// It is called by goroutines of the tunnel, one at a time, and may be nil. It
	// must not wait for the tunnel.
	Renewed func(grant []byte)

	// Control is called with every socket before it is bound, as in
	// [net.ListenConfig], and keeps nothing of c. It may be nil.
	Control func(network, address string, c syscall.RawConn) error
}

// Tunnel is the device's end of a tunnel. It is safe for concurrent use.
type Tunnel struct {
	session *session
	router  auth.RouterID
	showing *showing
}

// Dial opens a tunnel to the router. ctx bounds the dialling only.
//
// Errors: [*UnreachableError], [*UntrustedRelayError] and
// [*auth.KeyMismatchError] about the relay; [*RefusedError] from relay or
// router; [ErrLegNotBound]; [*auth.KeyMismatchError] when somebody else than
// the router answered.
func Dial(ctx context.Context, cfg DialConfig) (*Tunnel, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // an environment need not go on when there is no tunnel
	if cfg.Router.Secret == [32]byte{} {
		cfg.Environment = nil
	}
	found := gather(ctx, cfg.Environment)
	conn, err := dialRelay(ctx, cfg.Identity, cfg.Router.Relay, cfg.Control)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	evidence := found()
	request := &wire.Open{
		Router: cfg.Router.ID, Grant: cfg.Router.Grant, Purpose: wire.PurposeTunnel, IDToken: cfg.IDToken,
	}
	if err := addProofs(request, cfg.Router.Secret, evidence, conn.ConnectionState().TLS); err != nil {
		return nil, err
	}
	s, err := openSession(ctx, conn, cfg.Router.Relay, cfg.Control, request)
	if err != nil {
		return nil, err
	}
	return complete(ctx, s, cfg, evidence)
}

// complete makes a session into a tunnel that has shown its evidence.
func complete(ctx context.Context, s *session, cfg DialConfig, evidence ecv.Evidence) (*Tunnel, error) {
	if err := s.dial(ctx, cfg.Identity, cfg.Router.ID); err != nil {
		s.close("")
		return nil, err
	}
	showing, err := show(ctx, s, cfg, evidence)
	if err != nil {
		s.close("")
		return nil, err
	}
	// A dead tunnel must not go on binding its leg until somebody looks at it.
	context.AfterFunc(s.conn.Context(), func() { s.close("") })
	return &Tunnel{session: s, router: cfg.Router.ID, showing: showing}, nil
}

// openSession asks the relay for a session and binds its device leg. The
// control connection is not needed after that: the session lives on by its
// legs alone.
func openSession(ctx context.Context, conn *relayConn, relay auth.RelayURL, control controlFunc, request *wire.Open) (*session, error) {
	asking, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	opened, err := ask[*wire.Opened](asking, conn, request)
	if err != nil {
		return nil, relayError(relay, err)
	}
	return bindSession(ctx, conn.addr, opened.Leg, opened.Secret, control, newWindowBudget(ownMemory()))
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
		return nil, t.showing.explained(streamError("router", err))
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
	return t.showing.explained(streamError("router", context.Cause(t.session.conn.Context())))
}

// Stalled tells that nothing has come through for some seconds. Either a network
// is gone, and the tunnel may recover; or relay or router no longer know it, and
// it will end when its idle time-out is over. A new tunnel waits for neither.
func (t *Tunnel) Stalled() bool { return t.session.leg.isStalled() }

// Rebind moves the tunnel to a new socket, and so to whatever network the
// machine prefers now. Streams go on. The tunnel does this by itself when the
// relay stops answering; an app that is told of a new network can be faster.
func (t *Tunnel) Rebind() error { return t.session.leg.rebind() }

// Verdict is the router's latest word on what this device shows. It waits for
// the first. That a service is refused for it shows on its stream, too.
func (t *Tunnel) Verdict(ctx context.Context) (Verdict, error) { return t.showing.await(ctx) }

// ShowEvidence asks the Environment again and shows the router what it says. A
// tunnel does so by itself when it has moved; an app that learns of a new place
// may do so earlier.
func (t *Tunnel) ShowEvidence(ctx context.Context) error { return t.showing.again(ctx) }

// Close ends the tunnel and all of its streams. If the router's first verdict
// is still under way it waits a moment for it: it may come with a grant.
func (t *Tunnel) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), verdictWait)
	defer cancel()
	t.showing.await(ctx)
	t.session.close("")
	return nil
}

// ConnectionState tells what QUIC and TLS have agreed on.
func (t *Tunnel) ConnectionState() quic.ConnectionState { return t.session.conn.ConnectionState() }
