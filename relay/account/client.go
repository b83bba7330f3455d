package account

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
)

const (
	requestTimeout = 10 * time.Second
	maxHeader      = 64 << 10

	retryPause   = 10 * time.Second   // after a failure, while there are no keys
	refreshPause = 10 * time.Minute   // after a failure, while there are old ones
	askAgain     = 24 * time.Hour     // after a success, so that what has moved or was withdrawn is noticed
	keysLast     = 3 * 24 * time.Hour // how old keys may get while the issuer does not answer
)

// newClient makes a client for talking to the issuer, and to the host that its
// metadata names for its keys. It reads the system's certificates now: later the
// relay may have no files any more.
func newClient() (*http.Client, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read this system's certificates, which the issuer's is checked against: %w", err)
	}
	return &http.Client{
		Timeout:       requestTimeout,
		CheckRedirect: issuerhttp.SameHost,
		Transport: issuerhttp.Bounded{RoundTripper: &http.Transport{
			TLSClientConfig:        &tls.Config{RootCAs: roots},
			DisableKeepAlives:      true, // there are hours between two requests
			MaxResponseHeaderBytes: maxHeader,
		}},
	}, nil
}

// paced asks for the keys at most once in retryPause, from start on. go-oidc
// wants to ask for every token with a bad signature.
type paced struct {
	http.RoundTripper

	mu   sync.Mutex
	next time.Time // when the keys may be asked for again
}

// start forgets what was asked before: a token with a bad signature is to be
// called bad, and not be put off, when it is the first.
func (p *paced) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = time.Time{}
}

func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	redirected := r.Response != nil // then it is a part of the request before it
	if !redirected && !p.take(time.Now()) {
		return nil, issuerhttp.ErrPaused
	}
	return p.RoundTripper.RoundTrip(r)
}

func (p *paced) take(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.next) {
		return false
	}
	p.next = now.Add(retryPause)
	return true
}
