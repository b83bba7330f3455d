package agent

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/tunnel"
)

// pairing takes devices onto the list: by the one pairing window that the
// router's administrator opens, if it is open, and by invitations.
type pairing struct {
	// static
	issuer      issuer
	name        string
	relay       auth.RelayURL
	devices     *devices
	invitations *invitations
	may         func(invitation) error // whether who has shared may still share that

	// guarded by mu
	mu     sync.Mutex
	window *auth.PairingWindow // nil before the first
	secret auth.OneTimeSecret  // of window
	ended  chan<- outcome      // of window; nil once it has been told
}

// offer is an open pairing window, as it is shown to a person.
type offer struct {
	uri   auth.PairingURI
	until time.Time
	ended <-chan outcome // gets one outcome, unless the window just expires
}

// outcome is how an offer ended before its time.
type outcome struct {
	device string // the name of the device that has paired
	err    error  // or why none can any more
}

// open shows a new URI. The one before, if it was not used, ends.
func (p *pairing) open(now time.Time) (offer, error) {
	secret, err := auth.NewOneTimeSecret(rand.Reader)
	if err != nil {
		return offer{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.window != nil {
		p.window.Close()
		p.endLocked(outcome{err: errors.New("a newer pairing URI has taken the place of this one")})
	}
	p.window = auth.NewPairingWindow(p.router(), secret, now)
	p.secret = secret
	ended := make(chan outcome, 1)
	p.ended = ended
	return offer{uri: p.uri(secret), until: p.window.End(), ended: ended}, nil
}

func (p *pairing) router() auth.RouterID { return p.issuer.router.RouterID() }

// uri is what a device is shown.
func (p *pairing) uri(secret auth.OneTimeSecret) auth.PairingURI {
	relay := p.relay
	relay.Token = auth.Token{} // devices need none
	return auth.PairingURI{Relay: relay, Router: p.router(), Secret: secret}
}

// endLocked tells the asker how the offer ended, once; the caller holds mu.
func (p *pairing) endLocked(how outcome) {
	if p.ended != nil {
		p.ended <- how // has room for one
		p.ended = nil
	}
}

// isOpen tells whether a URI is out that can be used now.
func (p *pairing) isOpen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.window != nil && p.window.State(time.Now()) == nil || len(p.invitations.list()) > 0
}

// pair decides about one attempt. On success the device is on the list.
func (p *pairing) pair(attempt tunnel.PairAttempt) (grant []byte, routerName string, err error) {
	if one := p.invitations.find(attempt.Invitation); one != nil {
		grant, err = p.accept(one, attempt)
		return grant, p.name, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.window == nil {
		return nil, "", auth.ErrPairingClosed
	}
	now := time.Now()
	if err := p.window.Check(attempt.Proof[:], attempt.Exported.Binding, attempt.Device, now); err != nil {
		if why := p.window.State(now); why != nil {
			p.endLocked(outcome{err: why})
		}
		return nil, "", err
	}
	one := newcomer(attempt, p.secret, now)
	p.secret = auth.OneTimeSecret{}
	one.Role, one.Services, one.Expires = auth.RoleOwner, []string{auth.AllServices}, lastsUntil(now, grantLifetime)
	if grant, err = p.add(one, attempt, now); err != nil {
		p.endLocked(outcome{err: fmt.Errorf("a device knew the secret, but is not paired: %w", err)})
		return nil, "", err
	}
	p.endLocked(outcome{device: one.Name})
	return grant, p.name, nil
}

// accept decides about a device that holds an invitation. What the sharer may
// not share any more nobody gets. The invitation is spent before the device is
// on the list: a power cut between the two costs an invitation, and gives
// nobody a second use of it.
func (p *pairing) accept(invited *invitation, attempt tunnel.PairAttempt) (grant []byte, err error) {
	now, id := time.Now(), auth.DeviceIDOf(attempt.Device)
	if known, had := p.devices.get(id); had && rank(known.Role) > rank(invited.Role) {
		return nil, fmt.Errorf("%w (the device has more than it is invited to)", auth.ErrPairingClosed)
	}
	if id == invited.By {
		return nil, fmt.Errorf("%w (it is for somebody else than the device that has shared)", auth.ErrPairingClosed)
	}
	if err := p.may(*invited); err != nil {
		return nil, fmt.Errorf("%w (who has shared may not any more)", auth.ErrPairingClosed)
	}
	if err := invited.window.Check(attempt.Proof[:], attempt.Exported.Binding, attempt.Device, now); err != nil {
		return nil, err
	}
	spent, err := p.invitations.drop(func(o *invitation) bool { return o == invited })
	if err != nil {
		return nil, err
	}
	if len(spent) == 0 { // taken back at this moment
		return nil, auth.ErrPairingClosed
	}
	one := newcomer(attempt, invited.Secret, now)
	one.Name, one.Role, one.Services, one.SharedBy = invited.Name, invited.Role, invited.Services, invited.By
	one.Invited, one.Expires = true, invited.Until
	return p.add(one, attempt, now)
}

func newcomer(attempt tunnel.PairAttempt, uri auth.OneTimeSecret, now time.Time) PairedDevice {
	secret := auth.PairingSecret(uri, attempt.Exported.Secret)
	return PairedDevice{
		ID: auth.DeviceIDOf(attempt.Device), Name: attempt.DeviceName,
		PairedAt: now.UTC().Truncate(time.Second), Secret: secret[:],
	}
}

func (p *pairing) add(one PairedDevice, attempt tunnel.PairAttempt, now time.Time) ([]byte, error) {
	return p.devices.add(one, func(one PairedDevice) ([]byte, error) { return p.issuer.sign(one, attempt.Device, now) })
}

// lastsUntil is when something ends that begins now.
func lastsUntil(now time.Time, lifetime time.Duration) time.Time {
	return now.Add(lifetime).UTC().Truncate(time.Second)
}
