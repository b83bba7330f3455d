package oidctest

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	deviceCodeLifetime = 10 * time.Minute
	pollInterval       = time.Second // the least that RFC 8628 can say
	tokenLifetime      = time.Hour
)

// Provider is an OpenID provider. It implements [http.Handler] and is safe for
// concurrent use.
type Provider struct {
	issuer   string
	clientID string
	handler  http.Handler

	mu        sync.Mutex
	key       *Key
	logins    map[string]*login // by device code
	forgetful bool
}

// A login is one run of the device authorization flow.
type login struct {
	userCode string
	nonce    string
	state    op.DeviceAuthorizationState
}

// New makes a provider that is reached at issuer, a URL without a path, and that
// knows one client. Its first key is of ES256.
func New(issuer, clientID string) (*Provider, error) {
	key, err := NewES256("first")
	if err != nil {
		return nil, err
	}
	p := &Provider{issuer: issuer, clientID: clientID, key: key, logins: make(map[string]*login)}
	cfg := &op.Config{DeviceAuthorization: op.DeviceAuthorizationConfig{
		Lifetime: deviceCodeLifetime, PollInterval: pollInterval, UserFormPath: "/device", UserCode: op.UserCodeBase20,
	}}
	rand.Read(cfg.CryptoKey[:])
	protocol, err := op.NewProvider(cfg, &storage{p: p}, op.StaticIssuer(issuer), op.WithAllowInsecure())
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /device", p.serveForm)
	mux.Handle("/", protocol)
	p.handler = mux
	return p, nil
}

// Issuer is the URL that the provider is known by.
func (p *Provider) Issuer() string { return p.issuer }

// ClientID is the one client.
func (p *Provider) ClientID() string { return p.clientID }

// Key is the key that tokens are signed with now.
func (p *Provider) Key() *Key {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.key
}

// Rotate makes key the only one.
func (p *Provider) Rotate(key *Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key = key
}

// ForgetNonces makes the provider one that does not know nonces in the device flow.
func (p *Provider) ForgetNonces() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetful = true
}

// Expire ends the time in which logins that have begun can be approved.
func (p *Provider) Expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.logins {
		l.state.Expires = time.Time{}
	}
}

type formKey struct{}

// ServeHTTP implements [http.Handler]. The library does not know the parameter
// nonce of a device authorization request, so storage reads it from the form.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), formKey{}, r.Form)))
}

// formOf returns the form of the request that ctx belongs to.
func formOf(ctx context.Context) url.Values {
	form, _ := ctx.Value(formKey{}).(url.Values)
	return form
}

// serveForm is the page on which a person approves or denies a login.
func (p *Provider) serveForm(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.logins {
		if l.userCode != r.Form.Get("user_code") {
			continue
		}
		l.state.Subject = r.Form.Get("subject")
		l.state.Denied = r.Form.Has("deny")
		l.state.Done = !l.state.Denied
		l.state.AuthTime = time.Now()
		return
	}
	http.Error(w, "there is no login with this code", http.StatusNotFound)
}
