package account

import (
	"context"
	"errors"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
)

// A discovery is one request for the issuer's metadata.
type discovery struct {
	done chan struct{} // closed when the rest is set

	keys *oidc.RemoteKeySet // nil if it failed
	err  error
	ends time.Time // when a failed one is done with
}

// keys returns the issuer's keys, which get themselves. It waits for the
// metadata if need be, as long as ctx allows.
func (v *Verifier) keys(ctx context.Context) (*oidc.RemoteKeySet, error) {
	d := v.discovery()
	select {
	case <-d.done:
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
	if d.err != nil {
		return nil, unavailable(d.err)
	}
	return d.keys, nil
}

// discovery returns the one that counts: the last, unless it has failed some time ago.
func (v *Verifier) discovery() *discovery {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last == nil || v.last.over(time.Now()) {
		v.last = &discovery{done: make(chan struct{})}
		go v.discover(v.last)
	}
	return v.last
}

func (d *discovery) over(now time.Time) bool {
	select {
	case <-d.done:
		return d.err != nil && !now.Before(d.ends)
	default:
		return false
	}
}

// discover is bound to no caller's context: others wait for it too.
func (v *Verifier) discover(d *discovery) {
	defer close(d.done)
	if d.keys, d.err = v.ask(); d.err == nil {
		v.log.Info("the account issuer answers")
		return
	}
	d.ends = time.Now().Add(retryPause)
	v.log.Warn("the account issuer can't be asked: no account token is accepted until it answers", "why", issuerhttp.Cause(d.err))
}

// ask gets the issuer's metadata.
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
	client.Transport = &paced{RoundTripper: client.Transport}
	return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), &client), metadata.Keys), nil
}
