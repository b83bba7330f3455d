package issuerhttp

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	// MaxAnswer is the most bytes that are read of an answer; key sets and metadata have a few KiB.
	MaxAnswer    = 256 << 10
	maxRedirects = 3
)

var (
	// ErrInsecure means that a URL is not https, nor http to this machine.
	ErrInsecure = errors.New("must be an https URL: whoever can change what comes over http can make any token valid")
	// ErrRedirect is returned by [SameHost].
	ErrRedirect = errors.New("it redirects to another host, or too often")
)

// Secure allows https, and http to this machine, for tests and first looks.
func Secure(u *url.URL) bool {
	if u.Scheme == "http" {
		return Loopback(u.Hostname())
	}
	return u.Scheme == "https" && u.Host != ""
}

// SameHost is a CheckRedirect of [http.Client].
func SameHost(next *http.Request, via []*http.Request) error {
	if next.URL.Host != via[0].URL.Host || len(via) > maxRedirects {
		return ErrRedirect
	}
	return nil
}

// Bounded refuses URLs that are not [Secure], and limits what is read of an answer.
type Bounded struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (b Bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !Secure(r.URL) {
		return nil, ErrInsecure
	}
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, MaxAnswer)
	return resp, nil
}

// Algorithms are those that an ID token may be signed with: the asymmetric ones.
// With a symmetric one, whoever can verify can sign.
func Algorithms() []string {
	return []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
		oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
	}
}

// Printable tells whether s has 1 to limit bytes of ASCII that print, spaces included.
func Printable(s string, limit int) bool {
	return s != "" && len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
