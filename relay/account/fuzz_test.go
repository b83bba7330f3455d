package account

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/crypto"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/lethe-relay/lethe/internal/oidctest"
)

// Threat: a stranger sends any bytes as a token. There must be no panic, and
// nothing is accepted that the issuer has not signed: no input can be, since its
// key is younger than the input. A fuzzer can't forge signatures, so the target
// also signs each input as a token's content, and has Verify judge that alone.
// What it then accepts must be good for a reader that is none of the code's.
func FuzzToken(f *testing.F) {
	if seeds, _ := filepath.Glob("testdata/fuzz/FuzzToken/*"); len(seeds) == 0 {
		f.Fatal("there are no tokens to start from")
	}
	f.Add(goodClaims)
	p, v := offline(f, itself)
	signer, err := op.SignerFromKey(p.Key())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if _, _, err := v.Verify(t.Context(), in, nonce); err == nil {
			t.Fatalf("%q is accepted, and was never signed", in)
		}
		_, subject, err := v.Verify(t.Context(), signed(t, signer, in), nonce)
		if err == nil {
			checkAccepted(t, p, in, subject)
		}
	})
}

func signed(t *testing.T, signer jose.Signer, payload string) string {
	t.Helper()
	token, err := crypto.SignPayload([]byte(payload), signer)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// checkAccepted reads what was accepted, as a reader that takes any spelling of a claim's name.
func checkAccepted(t *testing.T, p *oidctest.Provider, payload, subject string) {
	t.Helper()
	var claims struct {
		Issuer   string          `json:"iss"`
		Subject  string          `json:"sub"`
		Audience json.RawMessage `json:"aud"`
		Nonce    string          `json:"nonce"`
		Expires  float64         `json:"exp"`
	}
	if err := json.Unmarshal([]byte(payload), &claims); err != nil {
		t.Fatalf("%q is accepted: %v", payload, err)
	}
	audience := []string{""}
	if json.Unmarshal(claims.Audience, &audience[0]) != nil {
		json.Unmarshal(claims.Audience, &audience)
	}
	if claims.Issuer != p.Issuer() || claims.Nonce != nonce || !slices.Contains(audience, p.ClientID()) ||
		claims.Expires < float64(time.Now().Unix())-1 || claims.Subject != subject || subject == "" || len(subject) > maxSubject {
		t.Fatalf("%q is accepted", payload)
	}
}

// goodClaims are the content of a token that is valid until the year 2100.
const goodClaims = `{"iss":"https://login.example","sub":"alice","aud":"lethe","nonce":"` + nonce + `","exp":4102444800}`

// TestGoodClaims: signed, they are accepted; or FuzzToken would have nothing to start from.
func TestGoodClaims(t *testing.T) {
	p, v := offline(t, itself)
	signer, err := op.SignerFromKey(p.Key())
	if err != nil {
		t.Fatal(err)
	}
	want(t, v, signed(t, signer, goodClaims), nil, "")
}
