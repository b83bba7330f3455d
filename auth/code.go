package auth

import (
	"errors"

	"github.com/lethe-relay/lethe/internal/wire"
)

// GrantCode is what a relay or router answers a device whose grant [Verify]
// has refused with err.
func GrantCode(err error) wire.Code {
	switch {
	case errors.Is(err, ErrGrantExpired):
		return wire.CodeGrantExpired
	case errors.Is(err, ErrGrantNotYetValid):
		return wire.CodeGrantNotYetValid
	default:
		return wire.CodeGrantInvalid
	}
}
