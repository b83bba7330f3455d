package cli

import (
	"errors"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// TunnelCode is the exit code for an error of package tunnel.
func TunnelCode(err error) int {
	var refused *tunnel.RefusedError
	var mismatch *auth.KeyMismatchError
	var peerRefused *tunnel.PeerRefusedKeyError
	var untrusted *tunnel.UntrustedRelayError
	var unreachable *tunnel.UnreachableError
	var silent *tunnel.NoAnswerError
	switch {
	case errors.As(err, &refused):
		if refused.Code == string(wire.CodeRouterOffline) || refused.Code == string(wire.CodeRouterTimeout) {
			return ExitUnreachable
		}
		return ExitRefused
	case errors.As(err, &mismatch), errors.As(err, &peerRefused), errors.As(err, &untrusted):
		return ExitRefused
	case errors.As(err, &unreachable), errors.As(err, &silent), errors.Is(err, tunnel.ErrLegNotBound):
		return ExitUnreachable
	}
	return ExitFailed
}
