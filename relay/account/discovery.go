package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
	"github.com/lethe-relay/lethe/internal/telemetry"
)

// A discovery asks for the issuer's metadata and its keys, once.
type discovery struct {
	before *discovery // the last that succeeded; nil if none has

	done chan struct{} // closed when the rest is set

	keys *oidc.RemoteKeySet // nil if it failed
	err  error
	at   time.Time // when it was over
}

// keys returns the issuer's keys, which get themselves. It waits for them if need
// be, as long as ctx allows. If they can't be had, those before are good for a while.
func (v *Verifier) keys(ctx context.Context) (*oidc.RemoteKeySet, error) {
	d := v.discovery()
	var err error
	select {
	case <-d.done:
		if d.err == nil {
			return d.keys, nil
		}
		err = d.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if d.before.usable(time.Now()) {
		return d.before.keys, nil
	}
	return nil, unavailable(err)
}

// discovery returns the one that counts: the last, unless it was over some time ago.
func (v *Verifier) discovery() *discovery {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	if v.last == nil || v.last.due(now) {
		v.last = &discovery{before: v.last.good(), done: make(chan struct{})}
		go v.discover(v.last)
	}
	return v.last
}

// due tells whether it is time for the next.
func (d *discovery) due(now time.Time) bool {
	select {
	case <-d.done:
	default:
		return false
	}
	pause := askAgain
	switch {
	case d.err != nil && d.before.usable(now):
		pause = refreshPause
	case d.err != nil:
		pause = retryPause
	}
	return now.Sub(d.at) >= pause
}

// good is the last that succeeded up to this one, which is over; nil if none has.
func (d *discovery) good() *discovery {
	if d == nil {
		return nil
	}
	if d.err != nil {
		return d.before
	}
	return &discovery{done: d.done, keys: d.keys, at: d.at} // without those before it
}

// usable tells whether the keys are not too old. d may be nil.
func (d *discovery) usable(now time.Time) bool { return d != nil && now.Sub(d.at) < keysLast }

// discover is bound to no caller's context: others wait for it too.
func (v *Verifier) discover(d *discovery) {
	defer close(d.done)
	d.keys, d.err = v.ask()
	d.at = time.Now()
	switch {
	case d.err == nil:
		v.log.Say(telemetry.IssuerAnswers)
	case d.before.usable(d.at):
		v.log.Say(telemetry.IssuerOldKeys, telemetry.Code(telemetry.Why, issuerhttp.CauseOf(d.err)), telemetry.Duration(telemetry.UsableFor, d.before.at.Add(keysLast).Sub(d.at)))
	default:
		v.log.Say(telemetry.IssuerUnavailable, telemetry.Code(telemetry.Why, issuerhttp.CauseOf(d.err)))
	}
}

// ask gets the issuer's metadata and, from where that says, its keys.
func (v *Verifier) ask() (*oidc.RemoteKeySet, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(context.Background(), v.client), v.cfg.Issuer)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, err
	}
	if metadata.Keys == "" {
		return nil, errors.New("its metadata has no jwks_uri")
	}
	client := *v.client
	pace := &paced{RoundTripper: client.Transport}
	client.Transport = pace
	keys := oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), &client), metadata.Keys)
	defer pace.start()
	return keys, fetch(keys)
}

// unsigned is a token that no key has signed: {"alg":"ES256"}, {} and a byte.
const unsigned = "eyJhbGciOiJFUzI1NiJ9.e30.AA"

// fetch has the keys get themselves now. New ones must not take the place of old
// ones before they are there. go-oidc does it for each token that none of its
// keys has signed; of its errors, only those about getting keys wrap another.
func fetch(keys *oidc.RemoteKeySet) error {
	_, err := keys.VerifySignature(context.Background(), unsigned)
	if cause := errors.Unwrap(err); cause != nil {
		return fmt.Errorf("get its keys: %w", cause)
	}
	return nil
}
