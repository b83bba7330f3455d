package auth

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Specification: both ends and the relay must agree on these.
const (
	// MaxGrantSize is the most bytes that a grant may have on the wire.
	MaxGrantSize = 4096
	// MaxServices is how many services a grant may list.
	MaxServices = 64
	// AllServices, alone in [Grant.Services], allows every service.
	AllServices = "*"
	// NotBeforeSkew is how long before [Grant.NotBefore] a grant is accepted:
	// a router that has just signed one may have a clock that is ahead. The
	// end has no allowance.
	NotBeforeSkew = 2 * time.Minute

	grantNonceSize = 32           // bytes
	maxGrantUnix   = 253402300799 // the last second of the year 9999
)

// Role is what a device is to its router. It is the certificate's principal.
type Role string

// The roles, from most to least.
const (
	RoleOwner Role = "owner" // may do all, and decides who else may
	RoleAdmin Role = "admin" // may manage the router
	RoleGuest Role = "guest" // may use what the grant lists
)

func (r Role) valid() bool { return r == RoleOwner || r == RoleAdmin || r == RoleGuest }

// Grant says what a router allows a device. [Issue] signs one; [Verify]
// returns one that may be relied upon, with a policy that is the caller's own.
type Grant struct {
	Device    ed25519.PublicKey // whom it is for
	Role      Role
	Services  []string  // sorted names without repetition, or [AllServices] alone
	NotBefore time.Time // whole seconds, UTC
	NotAfter  time.Time // whole seconds, UTC; the grant is over at this instant
	Serial    uint64    // chosen by the router, to tell its grants apart

	Policy   *ecv.Policy  // what is demanded of the environment; nil: nothing
	Accepted ecv.Accepted // the environments that count; empty without a policy
}

// Allows reports whether the grant lists service. It does not look at the
// time: [Verify] has done that.
func (g Grant) Allows(service string) bool {
	return ValidService(service) && (slices.Contains(g.Services, service) || slices.Contains(g.Services, AllServices))
}

// ValidService reports whether name can be a service's: what the wire allows,
// but not with "-" in front, which command lines take for an option.
func ValidService(name string) bool {
	return wire.ValidServiceName(name) && name[0] != '-'
}

// canonical returns g as it is written on the wire, or why it can't be. It
// does not judge the policy. It leaves g's slices alone.
func (g Grant) canonical() (Grant, error) {
	if len(g.Device) != ed25519.PublicKeySize {
		return Grant{}, ErrGrantKeyType
	}
	if !g.Role.valid() {
		return Grant{}, ErrGrantRole
	}
	g.NotBefore = time.Unix(g.NotBefore.Unix(), 0).UTC()
	g.NotAfter = time.Unix(g.NotAfter.Unix(), 0).UTC()
	if g.NotBefore.Unix() < 0 || g.NotAfter.Unix() > maxGrantUnix || !g.NotBefore.Before(g.NotAfter) {
		return Grant{}, ErrGrantValidity
	}
	g.Services = slices.Compact(slices.Sorted(slices.Values(g.Services)))
	return g, checkServices(g.Services)
}

func checkServices(names []string) error {
	if len(names) == 0 || len(names) > MaxServices {
		return ErrGrantServices
	}
	if slices.Equal(names, []string{AllServices}) {
		return nil
	}
	if !slices.ContainsFunc(names, func(name string) bool { return !ValidService(name) }) {
		return nil
	}
	return ErrGrantServices
}

// checkTime returns ErrGrantNotYetValid or ErrGrantExpired with the limit that
// now is outside of.
func (g Grant) checkTime(now time.Time) error {
	if now.Add(NotBeforeSkew).Before(g.NotBefore) {
		return fmt.Errorf("%w (it begins %s)", ErrGrantNotYetValid, g.NotBefore.Format(time.RFC3339))
	}
	if !now.Before(g.NotAfter) {
		return fmt.Errorf("%w (it ended %s)", ErrGrantExpired, g.NotAfter.Format(time.RFC3339))
	}
	return nil
}
