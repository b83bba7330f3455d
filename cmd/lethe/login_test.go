package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/oidctest"
	"github.com/lethe-relay/lethe/relay"
	"github.com/lethe-relay/lethe/relay/account"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/login"
)

// browser is a person who does what the prompt says, as alice.
type browser struct {
	t    *testing.T
	said *bytes.Buffer // before it was sent anywhere
}

func (b browser) Write(text []byte) (int, error) {
	prompt := regexp.MustCompile(`Open (\S+) in a browser, .* type this code: (\S+)`).FindSubmatch(text)
	if prompt == nil {
		return b.said.Write(text) // the QR code, too
	}
	if err := oidctest.Approve(b.t.Context(), string(prompt[1]), string(prompt[2]), "alice"); err != nil {
		b.t.Error(err)
	}
	return len(text), nil
}

// TestLogin: with a login, the account is alice's and not the device's key; without, it is the key again.
func TestLogin(t *testing.T) {
	provider := oidctest.Start(t, "lethe")
	w := newWorld(t, func(cfg *relay.Config) {
		cfg.OIDC = account.Config{Issuer: provider.Issuer(), ClientID: provider.ClientID()}
	})
	alice := ecv.Entry{Feature: ecv.Account, ID: ecv.ObservationKey(testSecret).TagID(ecv.Account, ecv.OIDCAccount(provider.Issuer(), "alice"))}
	w.writeStore(w.grant(1, testPolicy(), alice))
	vouched := make(chan ecv.TagID, 1)
	judge := w.judge
	w.does(func() {
		w.judge = func(c tunnel.Case) tunnel.Ruling {
			vouched <- c.Vouched.Account
			return judge(c)
		}
	})
	store := w.store()
	var said bytes.Buffer
	kept, err := logIn(t.Context(), browser{t, &said}, store, onlyRouter(t, store), false)
	if err != nil {
		t.Fatal(err)
	}
	if want := "The relay has its accounts at " + strings.TrimPrefix(provider.Issuer(), "http://") + "\n"; !strings.HasPrefix(said.String(), want) {
		t.Errorf("said %q, want %q first", said.String(), want)
	}
	if got := string(accountOf(kept.IDToken)); got != string(ecv.OIDCAccount(provider.Issuer(), "alice")) {
		t.Errorf("the account is %q", got)
	}
	w.run("env", "home").want(t, cli.ExitDone, "✓ account  login at "+provider.Issuer(), "ID token", "the account is known")
	if got := <-vouched; got != alice.ID {
		t.Error("the relay has vouched for another account")
	}
	w.run("logout", "home", "--json").want(t, cli.ExitDone, `"logged_out": true`)
	w.run("logout", "home").want(t, cli.ExitDone, "there was no login")
	w.run("env", "home", "--offline").want(t, cli.ExitDone, "account  this device's key")
}

// TestLoginWithout: a relay without accounts says so.
func TestLoginWithout(t *testing.T) {
	w := newWorld(t, nil)
	w.run("login", "home").want(t, cli.ExitRefused, "no account system")
}

// TestLoginPrompt: an issuer that offers no complete URI gets no QR code.
func TestLoginPrompt(t *testing.T) {
	var out bytes.Buffer
	showPrompt(&out, login.Prompt{URI: "https://id.example/device", UserCode: "A"})
	if strings.Contains(out.String(), "█") || !strings.Contains(out.String(), "Open https://id.example/device in a browser") {
		t.Errorf("got %s", out.String())
	}
	out.Reset()
	showPrompt(&out, login.Prompt{URI: "https://id.example/device", UserCode: "A", CompleteURI: "https://id.example/device?user_code=A"})
	if !strings.Contains(out.String(), "█") {
		t.Errorf("got %s", out.String())
	}
}

// TestLoginWhere: a person sees the host and nothing that stands before it, and only a relay on this machine may send
// him to this machine.
func TestLoginWhere(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://id.example:8443/realms/a": "id.example:8443", "https://id.example@evil.example/": "evil.example",
		"id.example": "an address that is no URL", "://": "an address that is no URL", "https://\u009bid.example": "id.example",
	} {
		if got := hostOf(issuer); got != want {
			t.Errorf("%s is shown as %q, want %q", issuer, got, want)
		}
	}
	for host, want := range map[string]bool{
		"127.0.0.1:443": true, "[::1]:443": true, "localhost:443": true,
		"relay.example.org:443": false, "127.0.0.1.example.org:443": false, "192.168.1.1:443": false, "": false,
	} {
		if got := isLocal(auth.RelayURL{Host: host}); got != want {
			t.Errorf("%s is local: %t", host, got)
		}
	}
}
