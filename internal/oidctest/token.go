package oidctest

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/crypto"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Claims are the content of an ID token.
type Claims map[string]any

// Claims returns those of a good token, issued now. The caller may change them.
func (p *Provider) Claims(subject, nonce string) Claims {
	now := time.Now()
	return Claims{
		"iss": p.issuer, "sub": subject, "aud": []string{p.clientID}, "azp": p.clientID, "nonce": nonce,
		"iat": now.Unix(), "exp": now.Add(tokenLifetime).Unix(),
	}
}

// Sign makes a token of any claims.
func (k *Key) Sign(t testing.TB, c Claims) string {
	t.Helper()
	signer, err := op.SignerFromKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, signer, c)
}

// HS256 makes a token that is signed with a symmetric key.
func HS256(t testing.TB, id string, secret []byte, c Claims) string {
	t.Helper()
	key := jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: secret, KeyID: id}}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, signer, c)
}

// Unsigned makes a token of the algorithm "none" (RFC 7519, section 6).
func Unsigned(t testing.TB, c Claims) string {
	t.Helper()
	payload, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(payload) + "."
}

func sign(t testing.TB, signer jose.Signer, c Claims) string {
	t.Helper()
	token, err := crypto.Sign(c, signer)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
