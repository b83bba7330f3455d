package account

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/oidctest"
)

func TestGoodTokens(t *testing.T) {
	es, rs := oidctest.Start(t, client), oidctest.Start(t, client)
	key, err := oidctest.NewRS256("rsa")
	if err != nil {
		t.Fatal(err)
	}
	rs.Rotate(key)
	for _, p := range []*oidctest.Provider{es, rs} {
		v, c := newVerifier(t, p.Issuer()), p.Claims("alice", nonce)
		want(t, v, p.Key().Sign(t, c), nil, "")
		c["aud"] = []string{"another", client}
		delete(c, "azp")
		want(t, v, p.Key().Sign(t, c), nil, "")
	}
}

// TestBadClaims: the issuer has signed it, but not for this, or not now.
func TestBadClaims(t *testing.T) {
	p := oidctest.Start(t, client)
	v := newVerifier(t, p.Issuer())
	for name, c := range map[string]struct {
		claim string
		value any // nil removes it
		why   string
	}{
		"another issuer":       {"iss", "https://login.example", "another issuer"},
		"issuer with a slash":  {"iss", p.Issuer() + "/", "another issuer"},
		"no issuer":            {"iss", nil, "another issuer"},
		"another audience":     {"aud", "another", "another issuer or client"},
		"no audience":          {"aud", nil, "another issuer or client"},
		"another client's":     {"azp", "another", "another client"},
		"expired":              {"exp", time.Now().Add(-time.Second).Unix(), "expired"},
		"no expiry":            {"exp", nil, "expired"},
		"not yet":              {"nbf", time.Now().Add(time.Hour).Unix(), "not valid yet"},
		"another device":       {"nonce", "the nonce of another device", "another device"},
		"a shorter nonce":      {"nonce", nonce[:len(nonce)-1], "another device"},
		"no nonce":             {"nonce", nil, "another device"},
		"empty nonce":          {"nonce", "", "another device"},
		"no subject":           {"sub", nil, "no subject"},
		"subject of 256 bytes": {"sub", strings.Repeat("s", 256), "no subject"},
		"subject is a number":  {"sub", 1, "malformed"},
		"client is a number":   {"azp", 1, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			claims := p.Claims("alice", nonce)
			claims[c.claim] = c.value
			if c.value == nil {
				delete(claims, c.claim)
			}
			want(t, v, p.Key().Sign(t, claims), ErrToken, c.why)
		})
	}
	claims := p.Claims("alice", "")
	if _, _, err := v.Verify(t.Context(), p.Key().Sign(t, claims), ""); err == nil {
		t.Error("no nonce is the same as none: the token counts for every device")
	}
}

// TestForgeries: the content is good, but the issuer has not signed it.
func TestForgeries(t *testing.T) {
	stranger, err := oidctest.NewES256("first")
	if err != nil {
		t.Fatal(err)
	}
	rsa, err := oidctest.NewRS256("first")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		forge func(t *testing.T, p *oidctest.Provider, claims oidctest.Claims) string
		why   string
	}{
		"by a stranger": {func(t *testing.T, _ *oidctest.Provider, claims oidctest.Claims) string {
			return stranger.Sign(t, claims)
		}, "none of the issuer's keys"},
		"by an algorithm that the key is not of": {func(t *testing.T, _ *oidctest.Provider, claims oidctest.Claims) string {
			return rsa.Sign(t, claims)
		}, "none of the issuer's keys"},
		"unsigned": {func(t *testing.T, _ *oidctest.Provider, claims oidctest.Claims) string {
			return oidctest.Unsigned(t, claims)
		}, "three parts"},
		"unsigned with a signature": {func(t *testing.T, p *oidctest.Provider, claims oidctest.Claims) string {
			good := p.Key().Sign(t, claims)
			return oidctest.Unsigned(t, claims) + good[strings.LastIndex(good, ".")+1:]
		}, "asymmetric"},
		"with the public key as a secret": {func(t *testing.T, p *oidctest.Provider, claims oidctest.Claims) string {
			return oidctest.HS256(t, p.Key().ID(), publicPEM(t, p.Key()), claims)
		}, "asymmetric"},
		"with another content": {func(t *testing.T, p *oidctest.Provider, claims oidctest.Claims) string {
			good := strings.Split(p.Key().Sign(t, p.Claims("mallory", nonce)), ".")
			return good[0] + "." + strings.Split(p.Key().Sign(t, claims), ".")[1] + "." + good[2]
		}, "none of the issuer's keys"},
		"in JSON": {func(t *testing.T, p *oidctest.Provider, claims oidctest.Claims) string {
			good := strings.Split(p.Key().Sign(t, claims), ".")
			return `{"protected":"` + good[0] + `","payload":"` + good[1] + `","signature":"` + good[2] + `"}`
		}, "three parts"},
	} {
		t.Run(name, func(t *testing.T) {
			p, v := offline(t, itself)
			want(t, v, c.forge(t, p, p.Claims("alice", nonce)), ErrToken, c.why)
		})
	}
}

// TestSymmetricKeyInKeySet: a provider that publishes a symmetric key lets everybody sign.
func TestSymmetricKeyInKeySet(t *testing.T) {
	secret := []byte("a symmetric key of the issuer that is no secret")
	p, v := offline(t, func(p *oidctest.Provider) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", p)
		mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
			json.NewEncoder(w).Encode(map[string]any{"keys": []any{
				map[string]string{"kty": "oct", "kid": "hmac", "k": base64.RawURLEncoding.EncodeToString(secret)},
			}})
		})
		return mux
	})
	want(t, v, oidctest.HS256(t, "hmac", secret, p.Claims("alice", nonce)), ErrToken, "asymmetric")
}

func publicPEM(t *testing.T, key *oidctest.Key) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// TestNoNetworkForNonsense: what can't be a token is refused before the issuer is asked.
func TestNoNetworkForNonsense(t *testing.T) {
	p, v := offline(t, func(*oidctest.Provider) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the issuer was asked") })
	})
	good := p.Key().Sign(t, p.Claims("alice", nonce))
	long := maps.Clone(p.Claims("alice", nonce))
	long["more"] = strings.Repeat("m", MaxToken)
	for name, token := range map[string]string{
		"empty": "", "one part": "a", "two parts": "a.b", "four parts": good + ".a", "an empty part": "a..c", "dots": "..",
		"not base64url": "a.b+.c", "a line end": good + "\n", "too long": p.Key().Sign(t, long), "unsigned": oidctest.Unsigned(t, long),
	} {
		t.Run(name, func(t *testing.T) { want(t, v, token, ErrToken, "") })
	}
	if _, _, err := v.Verify(t.Context(), good, ""); err == nil {
		t.Error("an empty nonce is taken")
	}
}

// TestErrorsSayNothing: what is in a token or where the issuer is stands in no error.
func TestErrorsSayNothing(t *testing.T) {
	p := oidctest.Start(t, client)
	v := newVerifier(t, p.Issuer())
	for _, claim := range []string{"iss", "sub", "aud", "azp", "nonce"} {
		c := p.Claims("alice", nonce)
		c[claim] = "sesame" + strings.Repeat(".", 300)
		_, _, err := v.Verify(t.Context(), p.Key().Sign(t, c), nonce)
		if err == nil || strings.Contains(err.Error(), "sesame") || strings.Contains(err.Error(), p.Issuer()) {
			t.Errorf("%s: %v", claim, err)
		}
	}
}
