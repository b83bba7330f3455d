package login

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const (
	requestTimeout = 15 * time.Second
	maxAnswer      = 256 << 10
	maxRedirects   = 3

	maxLifetime = time.Hour // of a code
	maxInterval = 60        // seconds between two questions
	maxUserCode = 64
	maxURI      = 1024
)

var (
	errScheme   = errors.New("only https URLs will do: whoever can change what comes over http can take over the login")
	errRedirect = errors.New("it redirects to another host, or too often")
)

// newClient makes a client whose requests end with ctx at the latest.
func newClient(ctx context.Context) *http.Client {
	return &http.Client{
		CheckRedirect: sameHost,
		Transport:     bounded{ctx, &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}},
	}
}

func sameHost(next *http.Request, via []*http.Request) error {
	if next.URL.Host != via[0].URL.Host || len(via) > maxRedirects {
		return errRedirect
	}
	return nil
}

// bounded refuses http to other machines, and limits what is read of an answer.
// It also bounds a request's time, since oauth2 sends its first one without a
// context, and does not close the answer.
type bounded struct {
	ctx context.Context // of the login
	http.RoundTripper
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !isSecure(r.URL) {
		return nil, errScheme
	}
	ctx, cancel := context.WithTimeout(b.ctx, requestTimeout)
	context.AfterFunc(r.Context(), cancel)
	resp, err := b.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}

func isSecure(u *url.URL) bool {
	if u.Scheme == "http" {
		addr, err := netip.ParseAddr(u.Hostname())
		return u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
	}
	return u.Scheme == "https" && u.Host != ""
}

func isSecureURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && isSecure(u)
}

// bound refuses what no person could use or no terminal should get, and brings
// times into bounds that oauth2 can work with.
func bound(begun *oauth2.DeviceAuthResponse, now time.Time) error {
	if !isPrintable(begun.UserCode, maxUserCode) || !isPrintable(begun.VerificationURI, maxURI) || !isSecureURL(begun.VerificationURI) {
		return errBadPrompt
	}
	if !isPrintable(begun.VerificationURIComplete, maxURI) || !isSecureURL(begun.VerificationURIComplete) {
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

func isPrintable(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
