package control

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/oidctest"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/account"
)

// withAccounts has a relay take the ID tokens of an issuer.
func withAccounts(t testing.TB, issuer, clientID string) func(*Server) {
	t.Helper()
	v, err := account.New(account.Config{Issuer: issuer, ClientID: clientID}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return func(s *Server) { s.cfg.Accounts, s.cfg.Issuer = v, wire.Issuer{URL: issuer, ClientID: clientID} }
}

func TestLogin(t *testing.T) {
	r := startRelay(t, nil, nil)
	if _, err := ask[*wire.Issuer](t, r.dial(t, identity(t)), &wire.Login{}); !errors.Is(err, wire.CodeNoAccounts) {
		t.Errorf("without accounts: %v", err)
	}
	r = startRelay(t, nil, withAccounts(t, "https://login.invalid", "lethe"))
	m, err := ask[*wire.Issuer](t, r.dial(t, identity(t)), &wire.Login{})
	if err != nil || *m != (wire.Issuer{URL: "https://login.invalid", ClientID: "lethe"}) {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestAccount: the account is that of the token, if it is the device's own.
func TestAccount(t *testing.T) {
	p := oidctest.Start(t, "lethe")
	nonce := func(id *auth.Identity) string { return auth.AccountNonce(id.PublicKey()) }
	for _, tt := range []struct {
		name  string
		token func(device *auth.Identity) string
		want  ecv.Verdict
	}{
		{"the owner's", func(d *auth.Identity) string { return p.Key().Sign(t, p.Claims("alice", nonce(d))) }, ecv.Allow},
		{"none", func(*auth.Identity) string { return "" }, ecv.Deny},
		{"of another person", func(d *auth.Identity) string { return p.Key().Sign(t, p.Claims("mallory", nonce(d))) }, ecv.Deny},
		{"of another device", func(*auth.Identity) string { return p.Key().Sign(t, p.Claims("alice", nonce(identity(t)))) }, ecv.Deny},
		{"unsigned", func(d *auth.Identity) string { return oidctest.Unsigned(t, p.Claims("alice", nonce(d))) }, ecv.Deny},
		{"expired", func(d *auth.Identity) string {
			c := p.Claims("alice", nonce(d))
			c["exp"] = time.Now().Add(-time.Hour).Unix()
			return p.Key().Sign(t, c)
		}, ecv.Deny},
		{"garbage", func(*auth.Identity) string { return "a.b.c" }, ecv.Deny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, nil, withAccounts(t, p.Issuer(), p.ClientID()))
			rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
			e := usual(t, device.id)
			e.account = ecv.OIDCAccount(p.Issuer(), "alice")
			m := device.show(t, e, rt.id, grantWith(t, rt.id, device.id, policy(100, 100), e.accepted()))
			m.IDToken = tt.token(device.id)
			_, err := ask[*wire.Opened](t, device, m)
			reason := ecv.Reason("account_missing")
			if tt.name == "of another person" {
				reason = "account_unknown"
			}
			r.checkVerdict(t, rt, err, tt.want, reason)
		})
	}
}

// TestAccountsAreTold: with an account system a device's key is no account, and the router knows that.
func TestAccountsAreTold(t *testing.T) {
	r := startRelay(t, nil, withAccounts(t, "https://login.invalid", "lethe"))
	rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
	m := device.show(t, usual(t, device.id), rt.id, grantWith(t, rt.id, device.id, nil, ecv.Accepted{}))
	if _, err := ask[*wire.Opened](t, device, m); err != nil {
		t.Fatal(err)
	}
	if in := rt.next(t); !in.Vouched.Accounts || in.Vouched.Account != (wire.TagID{}) {
		t.Errorf("told %+v", in.Vouched)
	}
}

// TestIssuerThatDoesNotAnswer holds up the request for a bounded time, and the
// account is missing then. It is not even asked when the router is not here, or
// could not be told.
func TestIssuerThatDoesNotAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked := make(chan net.Conn, 10)
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			asked <- c
		}
		close(asked)
	}()
	accounts := withAccounts(t, "http://"+l.Addr().String(), "lethe")
	r := startRelay(t, nil, func(s *Server) {
		accounts(s)
		s.timeouts.account = 100 * time.Millisecond
	})
	device, id := r.dial(t, identity(t)), identity(t)
	e := usual(t, device.id)
	m := device.show(t, e, id, grantWith(t, id, device.id, policy(70, 30), e.accepted()))
	m.IDToken = "a.b.c"
	if _, err := ask[*wire.Opened](t, device, m); !errors.Is(err, wire.CodeRouterOffline) {
		t.Errorf("open = %v", err)
	}
	rt := r.register(t, id, accept)
	withoutKey := *m
	withoutKey.ObservationKey = [32]byte{}
	if _, err := ask[*wire.Opened](t, device, &withoutKey); err != nil {
		t.Fatal(err)
	}
	rt.next(t)
	if len(asked) != 0 {
		t.Error("the issuer was asked in vain")
	}
	stream := device.stream(t)
	stream.SetDeadline(time.Now().Add(5 * time.Second)) // less than a verifier waits by itself
	if err := wire.WriteMessage(stream, m); err != nil {
		t.Fatal(err)
	}
	if _, err := wire.Expect[*wire.Opened](stream); err != nil {
		t.Fatal(err)
	}
	if in := rt.next(t); in.Vouched.Account != (wire.TagID{}) || in.Vouched.Net == (wire.TagID{}) {
		t.Errorf("the router was told %+v", in.Vouched)
	}
	l.Close()
	for c := range asked { // so that the verifier's request ends
		c.Close()
	}
}
