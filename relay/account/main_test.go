package account

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
	"github.com/lethe-relay/lethe/internal/oidctest"
)

func TestMain(m *testing.M) {
	if exit, child := oidctest.Main(os.Args[1:]); child {
		os.Exit(exit)
	}
	goleak.VerifyTestMain(m)
}

const (
	client = "lethe"
	nonce  = "the nonce of a device"
)

func newVerifier(t testing.TB, issuer string) *Verifier {
	t.Helper()
	v, err := New(Config{Issuer: issuer, ClientID: client}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// direct hands requests to a handler, without a network in between.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	d.ServeHTTP(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := answer.Result()
	resp.Request = r
	return resp, nil
}

// offline makes a provider, and a verifier that asks handle in its place, without a network.
func offline(t testing.TB, handle func(*oidctest.Provider) http.Handler) (*oidctest.Provider, *Verifier) {
	t.Helper()
	p, err := oidctest.New("https://login.example", client)
	if err != nil {
		t.Fatal(err)
	}
	v := newVerifier(t, p.Issuer())
	v.client.Transport = issuerhttp.Bounded{RoundTripper: direct{handle(p)}}
	return p, v
}

func itself(p *oidctest.Provider) http.Handler { return p }

// want checks what became of a token: good if sentinel is nil.
func want(t *testing.T, v *Verifier, token string, sentinel error, why string) {
	t.Helper()
	wantWithin(t, t.Context(), v, token, sentinel, why)
}

func wantWithin(t *testing.T, ctx context.Context, v *Verifier, token string, sentinel error, why string) {
	t.Helper()
	issuer, subject, err := v.Verify(ctx, token, nonce)
	switch {
	case sentinel == nil && (err != nil || issuer != v.cfg.Issuer || subject != "alice"):
		t.Errorf("a good token is of %q at %q: %v", subject, issuer, err)
	case sentinel != nil && (!errors.Is(err, sentinel) || issuer != "" || subject != ""):
		t.Errorf("got %q, %q, %v; want %v", issuer, subject, err, sentinel)
	case sentinel != nil && !strings.Contains(err.Error(), why):
		t.Errorf("got %q, want %q", err, why)
	}
}
