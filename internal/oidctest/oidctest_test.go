package oidctest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/goleak"

	"github.com/lethe-relay/lethe/internal/oidctest"
)

func TestMain(m *testing.M) {
	if exit, child := oidctest.Main(os.Args[1:]); child {
		os.Exit(exit)
	}
	goleak.VerifyTestMain(m)
}

// ask sends a form as a device does.
func ask(t *testing.T, uri string, form url.Values) (answer struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	Page       string `json:"verification_uri"`
	IDToken    string `json:"id_token"`
	Error      string `json:"error"`
}) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, uri, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func begin(t *testing.T, issuer string) (page, userCode string, poll url.Values) {
	t.Helper()
	a := ask(t, issuer+"/device_authorization", url.Values{"client_id": {"app"}, "scope": {"openid"}, "nonce": {"a nonce"}})
	return a.Page, a.UserCode, url.Values{
		"client_id": {"app"}, "device_code": {a.DeviceCode}, "grant_type": {"urn:ietf:params:oauth:grant-type:device_code"},
	}
}

// verify checks a token with an independent library.
func verify(t *testing.T, issuer, token string) *oidc.IDToken {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	provider, err := oidc.NewProvider(oidc.ClientContext(t.Context(), client), issuer)
	if err != nil {
		t.Fatal(err)
	}
	good, err := provider.Verifier(&oidc.Config{ClientID: "app"}).Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return good
}

func TestDeviceFlow(t *testing.T) {
	provider := oidctest.Start(t, "app")
	for name, issuer := range map[string]string{"in this process": provider.Issuer(), "in its own": oidctest.StartProcess(t, "app")} {
		page, code, poll := begin(t, issuer)
		if a := ask(t, issuer+"/oauth/token", poll); a.Error != "authorization_pending" {
			t.Errorf("%s: before the approval: %+v", name, a)
		}
		if err := oidctest.Approve(t.Context(), page, code, "alice"); err != nil {
			t.Fatal(err)
		}
		token := verify(t, issuer, ask(t, issuer+"/oauth/token", poll).IDToken)
		if token.Subject != "alice" || token.Nonce != "a nonce" {
			t.Errorf("%s: the token is of %q with nonce %q", name, token.Subject, token.Nonce)
		}
	}
}

func TestNoToken(t *testing.T) {
	p := oidctest.Start(t, "app")
	tokens := p.Issuer() + "/oauth/token"
	page, code, poll := begin(t, p.Issuer())
	if err := oidctest.Deny(t.Context(), page, code); err != nil {
		t.Fatal(err)
	}
	if a := ask(t, tokens, poll); a.Error != "access_denied" {
		t.Errorf("denied: %+v", a)
	}
	_, _, poll = begin(t, p.Issuer())
	p.Expire()
	if a := ask(t, tokens, poll); a.Error != "expired_token" {
		t.Errorf("expired: %+v", a)
	}
	if err := oidctest.Approve(t.Context(), page, "no such code", "alice"); err == nil {
		t.Error("a code that was never given is approved")
	}
	poll.Set("device_code", "no such code")
	if a := ask(t, tokens, poll); a.Error != "access_denied" {
		t.Errorf("unknown device code: %+v", a)
	}
	if a := ask(t, p.Issuer()+"/device_authorization", url.Values{"client_id": {"another"}}); a.UserCode != "" || a.Error == "" {
		t.Errorf("another client: %+v", a)
	}
}

func TestForgetNonces(t *testing.T) {
	p := oidctest.Start(t, "app")
	p.ForgetNonces()
	page, code, poll := begin(t, p.Issuer())
	if err := oidctest.Approve(t.Context(), page, code, "alice"); err != nil {
		t.Fatal(err)
	}
	if token := verify(t, p.Issuer(), ask(t, p.Issuer()+"/oauth/token", poll).IDToken); token.Nonce != "" {
		t.Errorf("the nonce is %q", token.Nonce)
	}
}

func TestMintedTokens(t *testing.T) {
	p := oidctest.Start(t, "app")
	if got := verify(t, p.Issuer(), p.Key().Sign(t, p.Claims("alice", "n"))); got.Subject != "alice" || got.Nonce != "n" {
		t.Errorf("%+v", got)
	}
	key, err := oidctest.NewRS256("second")
	if err != nil {
		t.Fatal(err)
	}
	p.Rotate(key)
	verify(t, p.Issuer(), key.Sign(t, p.Claims("alice", "n")))
}
