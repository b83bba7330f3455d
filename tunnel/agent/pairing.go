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

const (
	grantLifetime = 365 * 24 * time.Hour // how long a device may go without pairing again
	clockSlack    = time.Hour            // how far behind the clocks of relay and device may be
)

// pairing is the router's one pairing window, if there is one.
type pairing struct {
	// static
	router  *auth.Identity
	name    string
	relay   auth.RelayURL
	devices *devices

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
	p.window = auth.NewPairingWindow(p.router.RouterID(), secret, now)
	p.secret = secret
	ended := make(chan outcome, 1)
	p.ended = ended
	relay := p.relay
	relay.Token = auth.Token{} // devices need none
	uri := auth.PairingURI{Relay: relay, Router: p.router.RouterID(), Secret: secret}
	return offer{uri: uri, until: p.window.End(), ended: ended}, nil
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
	return p.window != nil && p.window.State(time.Now()) == nil
}

// pair decides about one attempt. On success the device is on the list.
func (p *pairing) pair(attempt tunnel.PairAttempt) (grant []byte, routerName string, err error) {
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
	secret := auth.PairingSecret(p.secret, attempt.Exported.Secret)
	p.secret = auth.OneTimeSecret{}
	one := PairedDevice{
		ID: auth.DeviceIDOf(attempt.Device), Name: attempt.DeviceName, Role: auth.RoleOwner,
		PairedAt: now.UTC().Truncate(time.Second), Expires: now.Add(grantLifetime).UTC().Truncate(time.Second),
		Secret: secret[:],
	}
	raw, err := p.devices.add(one, func(serial uint64) ([]byte, error) {
		return auth.Issue(p.router, auth.Grant{
			Device: attempt.Device, Role: auth.RoleOwner, Services: []string{auth.AllServices},
			NotBefore: now.Add(-clockSlack), NotAfter: one.Expires, Serial: serial,
		}, rand.Reader)
	})
	if err != nil {
		p.endLocked(outcome{err: fmt.Errorf("a device knew the secret, but is not paired: %w", err)})
		return nil, "", err
	}
	p.endLocked(outcome{device: one.Name})
	return raw, p.name, nil
}
