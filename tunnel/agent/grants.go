package agent

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel/service"
)

const (
	grantLifetime = 365 * 24 * time.Hour // how long a device may go without pairing again
	clockSlack    = time.Hour            // how far behind the clocks of relay and device may be
)

// everybodys are the services that every grant has: no owner is to keep anybody
// from leaving, or from knowing what is held about him.
var everybodys = [...]string{service.NamePersonal, service.NameUnpair, service.NameForget}

// farewells are those that a step-up leaves open: who has the key may give it up
// in any surroundings, but see nothing until he is confirmed.
var farewells = [...]string{service.NameUnpair, service.NameForget}

// issuer signs grants.
type issuer struct {
	router *auth.Identity
	policy *ecv.Policy // nil if nothing is demanded
}

// grant is what the device's next grant says: what the router holds about it. A
// device of which nothing is known yet gets no policy: the relay could not
// judge by it. The router does not let that last, see judge.go.
func (i issuer) grant(one PairedDevice, key ed25519.PublicKey, now time.Time) auth.Grant {
	g := auth.Grant{
		Device: key, Role: one.Role, Services: one.granted(),
		NotBefore: now.Add(-clockSlack), NotAfter: one.Expires, Serial: one.Serial,
	}
	if i.policy != nil && len(one.Learned) > 0 {
		g.Policy, g.Accepted = i.policy, accepted(one.Learned)
	}
	return g
}

func (i issuer) sign(one PairedDevice, key ed25519.PublicKey, now time.Time) ([]byte, error) {
	return auth.Issue(i.router, i.grant(one, key, now), rand.Reader)
}

// fit signs the device's next grant. When that is too large, the device's oldest
// surroundings make room: better forgotten than never a fresh grant again. With
// one of them it always fits, see TestGrantAlwaysFits.
func (i issuer) fit(one *PairedDevice, key ed25519.PublicKey, now time.Time) ([]byte, error) {
	for {
		grant, err := i.sign(*one, key, now)
		if !errors.Is(err, auth.ErrGrantTooLarge) || len(one.Learned) < 2 {
			return grant, err
		}
		last := len(one.Learned) - 1 // it may be why there is a fresh grant
		one.Learned = append(withoutOldest(one.Learned[:last]), one.Learned[last])
	}
}

// upToDate tells whether the grant that a device shows says what its next one
// would.
func (i issuer) upToDate(shown auth.Grant, one PairedDevice) bool {
	next := i.grant(one, shown.Device, time.Now())
	if (next.Policy == nil) != (shown.Policy == nil) {
		return false
	}
	samePolicy := next.Policy == nil || next.Policy.String() == shown.Policy.String()
	return samePolicy && next.Accepted.Equal(shown.Accepted) && slices.Equal(next.Services, shown.Services) && next.Role == shown.Role
}

// mayHave tells whether the device's grant has the service.
func (d PairedDevice) mayHave(service string) bool {
	return auth.Grant{Services: d.granted()}.Allows(service)
}
