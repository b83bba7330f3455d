package tunnel

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// PairConfig says which device pairs with what.
type PairConfig struct {
	Identity *auth.Identity // the device's
	URI      auth.PairingURI
	Name     string // what the router shall call the device; at most 64 bytes

	// Control is called with every socket before it is bound, as in
	// [net.ListenConfig]. It may be nil.
	Control func(network, address string, c syscall.RawConn) error
}

// Paired is what a device keeps of a pairing.
type Paired struct {
	Router     Router
	RouterName string   // what the router calls itself; may be empty
	Secret     [32]byte // known to device and router alone; never leaves the device
}

// Pair pairs the device with the router that has shown the URI: through the
// relay, inside a tunnel whose router key the URI pins, it proves that it
// knows the URI's one-time secret, and gets a grant for its own key.
//
// Errors are those of [Dial]; a [*RefusedError] with pairing_closed or
// pairing_refused when the URI is used, expired or wrong.
func Pair(ctx context.Context, cfg PairConfig) (*Paired, error) {
	conn, err := dialRelay(ctx, cfg.Identity, cfg.URI.Relay, cfg.Control)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	s, err := openSession(ctx, conn, cfg.URI.Relay, cfg.Control, &wire.Open{
		Router: cfg.URI.Router, Purpose: wire.PurposePairing,
	})
	if err != nil {
		return nil, err
	}
	defer s.close("")
	if err := s.dial(ctx, cfg.Identity, cfg.URI.Router); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pairingTimeout)
	defer cancel()
	exported, err := auth.ExportPairing(s.conn.ConnectionState().TLS)
	if err != nil {
		return nil, err
	}
	answer, err := prove(ctx, s, cfg, exported.Binding)
	if err != nil {
		return nil, err
	}
	router := Router{Relay: cfg.URI.Relay, ID: cfg.URI.Router, Grant: answer.Grant}
	if err := usable(router, cfg.Identity); err != nil {
		return nil, fmt.Errorf("the router sent a grant that is of no use: %w", err)
	}
	return &Paired{Router: router, RouterName: answer.Name, Secret: auth.PairingSecret(cfg.URI.Secret, exported.Secret)}, nil
}

// usable checks all of a new grant but its time. The clocks of relay and router
// decide about that, and the URI has had its one use: a device whose clock is
// wrong keeps what it got.
func usable(r Router, id *auth.Identity) error {
	signed, err := auth.ParseGrant(r.Grant)
	if err != nil {
		return err
	}
	_, err = auth.Verify(r.Grant, r.ID, id.PublicKey(), signed.Grant.NotBefore)
	return err
}

// prove sends the proof and reads the grant.
func prove(ctx context.Context, s *session, cfg PairConfig, binding [32]byte) (*wire.Paired, error) {
	qs, err := s.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, streamError("router", err)
	}
	stop := context.AfterFunc(ctx, func() { qs.SetDeadline(time.Now()) })
	defer stop()
	proof := auth.PairingProof(cfg.URI.Secret, binding, cfg.Identity.PublicKey(), cfg.URI.Router)
	if err := wire.WriteMessage(qs, &wire.Pair{Proof: proof, Name: cfg.Name, Invitation: cfg.URI.Secret.ID()}); err != nil {
		return nil, streamError("router", err)
	}
	answer, err := wire.Expect[*wire.Paired](qs)
	var refused *wire.Error
	if errors.As(err, &refused) {
		return nil, refusedBy("router", err)
	}
	return answer, streamError("router", err)
}

// Pairing is how a router takes pairings.
type Pairing struct {
	// Open tells whether a pairing URI is out now.
	Open func() bool

	// Pair decides about one attempt and, on success, has stored the device
	// and returns its grant and the router's own name. It wraps
	// [auth.ErrPairingProof] and the like when it refuses.
	Pair func(PairAttempt) (grant []byte, routerName string, err error)
}

// PairAttempt is one device's attempt to pair.
type PairAttempt struct {
	Device     ed25519.PublicKey // proved by the tunnel's handshake
	DeviceName string            // what the device calls itself; may be empty
	Proof      [32]byte
	Invitation [8]byte              // names the URI that the device holds, see [auth.OneTimeSecret.ID]
	Exported   auth.PairingExporter // of this tunnel
}

func (p *Pairing) open() bool { return p != nil && p.Open() }

// serve takes one attempt in a pairing session. The session ends with it.
func (p *Pairing) serve(s *session, device Device, log *slog.Logger) {
	timeout := time.AfterFunc(pairingTimeout, func() { s.close("") })
	defer timeout.Stop()
	qs, err := s.conn.AcceptStream(s.conn.Context())
	if err != nil {
		return
	}
	m, err := wire.Expect[*wire.Pair](qs)
	if err != nil {
		return
	}
	exported, err := auth.ExportPairing(s.conn.ConnectionState().TLS)
	if err != nil {
		return
	}
	grant, name, err := p.Pair(PairAttempt{Device: device.Key, DeviceName: m.Name, Proof: m.Proof, Invitation: m.Invitation, Exported: exported})
	if err != nil {
		log.Warn("pairing refused", "error", err)
		wire.WriteMessage(qs, &wire.Error{Code: codeOfPairing(err)})
	} else {
		log.Info("device paired")
		wire.WriteMessage(qs, &wire.Paired{Grant: grant, Name: name})
	}
	qs.Close()
	<-s.conn.Context().Done() // the device closes when it has read the answer
}

func codeOfPairing(err error) wire.Code {
	switch {
	case errors.Is(err, auth.ErrPairingProof):
		return wire.CodePairingRefused
	case errors.Is(err, auth.ErrPairingClosed), errors.Is(err, auth.ErrPairingUsed), errors.Is(err, auth.ErrPairingExpired):
		return wire.CodePairingClosed
	default:
		return wire.CodeInternal
	}
}
