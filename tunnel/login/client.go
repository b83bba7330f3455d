package login

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
)

const (
	requestTimeout = 15 * time.Second

	maxLifetime = time.Hour // of a code
	maxInterval = 60        // seconds between two questions
	maxUserCode = 64
	maxURI      = 1024
)

// newClient makes a client whose requests end with ctx at the latest. Unless the
// issuer is local, it sends none to this machine or its network.
func newClient(ctx context.Context, local bool) *http.Client {
	transport := issuerhttp.Outward()
	if local {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	}
	return &http.Client{
		CheckRedirect: issuerhttp.SameHost,
		Transport:     timed{ctx, issuerhttp.Bounded{RoundTripper: transport}},
	}
}

// timed bounds a request's time, since oauth2 sends its first one without a
// context, and does not close the answer.
type timed struct {
	ctx context.Context // of the login
	http.RoundTripper
}

func (t timed) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(t.ctx, requestTimeout)
	context.AfterFunc(r.Context(), cancel)
	return t.RoundTripper.RoundTrip(r.WithContext(ctx))
}

// isPage tells whether a person can be sent to a URL.
func isPage(text string, local bool) bool {
	u, err := url.Parse(text)
	if err != nil || !issuerhttp.Printable(text, maxURI) {
		return false
	}
	return issuerhttp.Outside(u) == nil || local && issuerhttp.Secure(u)
}

// bound refuses what no person could use or no terminal should get, and brings
// times into bounds that oauth2 can work with.
func bound(begun *oauth2.DeviceAuthResponse, now time.Time, local bool) error {
	if !issuerhttp.Printable(begun.UserCode, maxUserCode) || !isPage(begun.VerificationURI, local) {
		return errBadPrompt
	}
	if !isPage(begun.VerificationURIComplete, local) {
		begun.VerificationURIComplete = ""
	}
	if latest := now.Add(maxLifetime); begun.Expiry.IsZero() || begun.Expiry.After(latest) {
		begun.Expiry = latest
	}
	if begun.Interval != 0 { // 0 stands for the default
		begun.Interval = min(max(begun.Interval, 1), maxInterval)
	}
	return nil
}
