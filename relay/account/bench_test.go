package account

import (
	"testing"

	"github.com/lethe-relay/lethe/internal/oidctest"
)

// BenchmarkVerify is what a token costs the relay when it has the issuer's keys.
func BenchmarkVerify(b *testing.B) {
	for name, make := range map[string]func(string) (*oidctest.Key, error){"ES256": oidctest.NewES256, "RS256": oidctest.NewRS256} {
		b.Run(name, func(b *testing.B) {
			p, v := offline(b, itself)
			key, err := make("bench")
			if err != nil {
				b.Fatal(err)
			}
			p.Rotate(key)
			token := key.Sign(b, p.Claims("alice", nonce))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := v.Verify(b.Context(), token, nonce); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefuse is what a token costs that a stranger has made up.
func BenchmarkRefuse(b *testing.B) {
	p, v := offline(b, itself)
	stranger, err := oidctest.NewES256(p.Key().ID())
	if err != nil {
		b.Fatal(err)
	}
	token := stranger.Sign(b, p.Claims("alice", nonce))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := v.Verify(b.Context(), token, nonce); err == nil {
			b.Fatal("a forged token is accepted")
		}
	}
}
