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

// newClient makes a client whose requests end with ctx at the latest.
func newClient(ctx context.Context) *http.Client {
	return &http.Client{
		CheckRedirect: issuerhttp.SameHost,
		Transport: timed{ctx, issuerhttp.Bounded{RoundTripper: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true,
		}}},
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

func isSecureURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && issuerhttp.Secure(u)
}

// bound refuses what no person could use or no terminal should get, and brings
// times into bounds that oauth2 can work with.
func bound(begun *oauth2.DeviceAuthResponse, now time.Time) error {
	if !issuerhttp.Printable(begun.UserCode, maxUserCode) || !issuerhttp.Printable(begun.VerificationURI, maxURI) || !isSecureURL(begun.VerificationURI) {
		return errBadPrompt
	}
	if !issuerhttp.Printable(begun.VerificationURIComplete, maxURI) || !isSecureURL(begun.VerificationURIComplete) {
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
