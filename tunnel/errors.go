package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// RefusedError is a refusal by the relay or the router, with a stable code.
type RefusedError struct {
	By         string        // "relay" or "router"
	Code       string        // as in the specification of package internal/wire
	RetryAfter time.Duration // when it makes sense to try again; zero if unknown
	Reasons    []ecv.Reason  // of env_denied and step_up_required
}

// Error is one sentence: who refused what, and what to do.
func (e *RefusedError) Error() string {
	if text, ok := refusals[wire.Code(e.Code)]; ok {
		if e.RetryAfter > 0 {
			return fmt.Sprintf("%s, in %v", text, e.RetryAfter)
		}
		return text
	}
	return fmt.Sprintf("the %s refused (%s): see the log of the %s", e.By, e.Code, e.By)
}

var refusals = map[wire.Code]string{
	wire.CodeRouterOffline:     "the router is not connected to the relay (router_offline): check that it has power and network, and that lethe-agent runs on it",
	wire.CodeRouterTimeout:     "the router did not answer the relay in time (router_timeout): its network may be down or very slow; try again",
	wire.CodeGrantInvalid:      "the relay does not accept this device's grant for the router (grant_invalid): pair again with 'lethe-agent pair' on the router and 'lethe pair' here",
	wire.CodeGrantExpired:      "this device's grant has expired (grant_expired): pair again with 'lethe-agent pair' on the router and 'lethe pair' here",
	wire.CodeGrantNotYetValid:  "this device's grant is not valid yet (grant_not_yet_valid): check the clocks of the relay and the router",
	wire.CodeGrantRevoked:      "the router no longer knows this device (grant_revoked): pair again with 'lethe-agent pair' on the router and 'lethe pair' here",
	wire.CodeDenied:            "the router refused (denied): it stopped, or took this device's access back, just now",
	wire.CodePairingClosed:     "the router is not waiting for a pairing (pairing_closed): the URI has expired, was used already, or met too many wrong guesses; ask whoever shared it for a new one, or run 'lethe-agent pair' on the router",
	wire.CodePairingRefused:    "the router did not accept the secret of this pairing URI (pairing_refused): check that it was copied whole, or run 'lethe-agent pair' for a new one",
	wire.CodeNotEnrolled:       "the relay does not know this enrolment token (not_enrolled): put the URL that 'lethe-relay url' prints there into agent.yaml, as relay",
	wire.CodeRateLimited:       "the relay takes no more requests from here for now (rate_limited): try again later",
	wire.CodeTooManySessions:   "the relay or the router has as many sessions as it allows (too_many_sessions): close one, or raise the limit in relay.yaml",
	wire.CodeTooManyRouters:    "the relay has as many routers as it allows (too_many_routers): raise limits.routers in relay.yaml",
	wire.CodeUnknownService:    "the router offers no service of this name (unknown_service): 'lethe status ROUTER' lists what it offers",
	wire.CodeServiceNotGranted: "this device's grant does not cover the service (service_not_granted): ask the router's owner",
	wire.CodeServiceDown:       "the router can't reach the service on its side (service_down): check that the program behind it runs and that its target in agent.yaml is right",
	wire.CodeStepUpRequired:    "the router does not know this device in these surroundings (step_up_required): 'lethe env ROUTER' shows why, and 'lethe confirm ROUTER' lets it in with the router's PIN or an owner's approval",
	wire.CodeEnvDenied:         "this device's surroundings are refused (env_denied): 'lethe env ROUTER' shows why",
	wire.CodePINWrong:          "that is not the router's PIN (pin_wrong)",
	wire.CodePINLocked:         "too many wrong PINs (pin_locked): try again later, or ask an owner for 'lethe approve'",
	wire.CodePINNotSet:         "the router has no PIN (pin_not_set): ask an owner for 'lethe approve', or set one with 'lethe-agent pin' on the router",
	wire.CodeNotApproved:       "no owner has approved (not_approved): ask one to run 'lethe approve' on another device, and try again",
	wire.CodeNoAccounts:        "this relay has no account system (no_accounts): there is nothing to log in to",
	wire.CodeReplaced:          "another agent with this router's key has registered (replaced): run only one agent with this state directory",
	wire.CodeShuttingDown:      "the relay is shutting down (shutting_down): try again when it is back",
}

// Is makes errors.Is match by code: errors.Is(err, &RefusedError{Code: "router_offline"}).
func (e *RefusedError) Is(target error) bool {
	t, ok := target.(*RefusedError)
	return ok && t.Code == e.Code && (t.By == "" || t.By == e.By)
}

// UnreachableError says that the relay did not answer at any of its addresses.
type UnreachableError struct {
	Relay string // host and port
	Err   error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("can't reach the relay %s: %v; check that it runs, that the address is right, and that UDP gets through", e.Relay, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// UntrustedRelayError says that the relay's certificate is not one of the
// public web's, and that the relay's URL has no pin.
type UntrustedRelayError struct {
	Relay string // host and port
	Err   error
}

func (e *UntrustedRelayError) Error() string {
	return fmt.Sprintf("the relay %s has no certificate that this machine trusts (%v): use the whole URL that 'lethe-relay url' prints, with its pin", e.Relay, e.Err)
}

func (e *UntrustedRelayError) Unwrap() error { return e.Err }

// ErrLegNotBound says that the relay opened a session but did not answer on
// its data path.
var ErrLegNotBound = errors.New("the relay opened a session but does not answer datagrams from here: a firewall between here and the relay may limit UDP")

// PeerRefusedKeyError says that the other end of the tunnel broke the
// handshake off because of the key that reached it from here.
type PeerRefusedKeyError struct{ Peer string } // "router" or "device"

func (e *PeerRefusedKeyError) Error() string {
	return fmt.Sprintf("the other end, which should be the %s, refused our key: the relay may have joined two tunnels that don't belong together", e.Peer)
}

// NoAnswerError says that a session is open, and nothing comes from its other end.
type NoAnswerError struct{ Peer string } // "router" or "device"

func (e *NoAnswerError) Error() string {
	return fmt.Sprintf("the %s does not answer through the relay: its network may be down or very slow; try again", e.Peer)
}

// refusedBy turns a wire error of the relay or the router, or a connection that
// it does not take, into a RefusedError.
func refusedBy(who string, err error) error {
	var e *wire.Error
	if errors.As(err, &e) {
		return &RefusedError{By: who, Code: string(e.Code), RetryAfter: e.RetryAfter, Reasons: ecv.ParseReasons(e.Reasons)}
	}
	var closed *quic.ApplicationError
	if errors.As(err, &closed) && closed.Remote && closed.ErrorCode != 0 {
		return &RefusedError{By: who, Code: string(wire.CodeOfClose(uint64(closed.ErrorCode)))}
	}
	var transport *quic.TransportError
	if errors.As(err, &transport) && transport.Remote && transport.ErrorCode == quic.ConnectionRefused {
		return &RefusedError{By: who, Code: string(wire.CodeRateLimited)}
	}
	return err
}

// handshakeError makes what went wrong in a tunnel's handshake readable: our
// refusal of the peer's key, the peer's refusal of ours, or nothing heard.
func handshakeError(peer string, err error) error {
	var mismatch *auth.KeyMismatchError
	if errors.As(err, &mismatch) {
		return mismatch
	}
	var transport *quic.TransportError
	if errors.As(err, &transport) && transport.Remote && transport.ErrorCode.IsCryptoError() {
		return &PeerRefusedKeyError{Peer: peer}
	}
	if isSilence(err) || errors.Is(err, context.DeadlineExceeded) {
		return &NoAnswerError{Peer: peer}
	}
	return fmt.Errorf("tunnel handshake with the %s: %w", peer, plainly(err))
}

// streamError makes the error of a stream readable: what was closed, here or
// with the whole tunnel, is net.ErrClosed, and a refused key says so.
func streamError(peer string, err error) error {
	var transport *quic.TransportError
	var app *quic.ApplicationError
	var stream *quic.StreamError
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case errors.Is(err, quic.ErrStreamClosed), errors.As(err, &stream) && !stream.Remote:
		return net.ErrClosed
	case errors.As(err, &stream):
		return fmt.Errorf("the %s broke the stream off: %w", peer, syscall.ECONNRESET)
	case errors.As(err, &transport) && transport.Remote && transport.ErrorCode.IsCryptoError():
		return &PeerRefusedKeyError{Peer: peer}
	case errors.As(err, &transport) && transport.Remote && transport.ErrorCode == quic.ConnectionRefused:
		return &RefusedError{By: peer, Code: string(wire.CodeDenied)}
	case errors.As(err, &app) && app.Remote && app.ErrorCode != 0:
		return refusedBy(peer, err)
	case errors.As(err, &app):
		return net.ErrClosed
	case isSilence(err):
		return &NoAnswerError{Peer: peer}
	case errors.As(err, &transport):
		return fmt.Errorf("the tunnel to the %s broke: %w", peer, plainly(err))
	}
	return err
}

// isSilence tells that nothing was heard for too long.
func isSilence(err error) bool {
	var idle *quic.IdleTimeoutError
	var handshake *quic.HandshakeTimeoutError
	return errors.As(err, &idle) || errors.As(err, &handshake)
}

// plainly takes an error down to its cause. What it was about stands in the
// sentence around it; what is left out are addresses of this machine and of
// its resolver, which belong in no log.
func plainly(err error) error {
	var dns *net.DNSError
	var call *os.SyscallError
	switch {
	case isSilence(err), errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer")
	case errors.As(err, &dns):
		return errors.New(dns.Err)
	case errors.As(err, &call):
		return call.Err
	}
	return err
}
