package account

import (
	"errors"
	"testing"

	"github.com/lethe-relay/lethe/internal/oidctest"
	"github.com/lethe-relay/lethe/tunnel/login"
)

// TestWithProvider: a device logs in at a provider that is a process of its own,
// and a relay verifies what it got.
func TestWithProvider(t *testing.T) {
	issuer := oidctest.StartProcess(t, client)
	token, err := login.Login(t.Context(), login.Config{Issuer: issuer, ClientID: client, Nonce: nonce, Local: true}, func(p login.Prompt) {
		if err := oidctest.Approve(t.Context(), p.URI, p.UserCode, "alice"); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	v := newVerifier(t, issuer)
	want(t, v, token.IDToken, nil, "")
	if _, _, err := v.Verify(t.Context(), token.IDToken, "the nonce of another device"); !errors.Is(err, ErrToken) {
		t.Errorf("the token counts for another device: %v", err)
	}
}
