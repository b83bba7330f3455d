package control

import (
	"context"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/oidctest"
	"github.com/lethe-relay/lethe/internal/wire"
)

// BenchmarkAdmit is the decision on one open, from the grant to the verdict: all
// that the relay computes before it makes the session and asks the router.
func BenchmarkAdmit(b *testing.B) {
	provider := oidctest.Start(b, "lethe")
	for _, bm := range []struct {
		name     string
		policy   *ecv.Policy
		accounts bool
		verdict  ecv.Verdict
	}{
		{"no policy", nil, false, verdictNone},
		{"all evidence", policy(100, 100), false, ecv.Allow},
		{"all evidence and OIDC", policy(100, 100), true, ecv.Allow},
	} {
		b.Run(bm.name, func(b *testing.B) {
			r := startRelay(b, nil, func(s *Server) {
				s.cfg.GeoIP = loopbackWorld(b)
				if bm.accounts {
					withAccounts(b, provider.Issuer(), provider.ClientID())(s)
				}
			})
			rt, device := r.register(b, identity(b), accept), r.dial(b, identity(b))
			e := usual(b, device.id)
			accepted := ecv.Accepted{}
			if bm.accounts {
				e.account = ecv.OIDCAccount(provider.Issuer(), "alice")
			}
			if bm.policy != nil {
				accepted = e.accepted()
			}
			m := device.show(b, e, rt.id, grantWith(b, rt.id, device.id, bm.policy, accepted))
			if bm.accounts {
				m.IDToken = provider.Key().Sign(b, provider.Claims("alice", auth.AccountNonce(device.id.PublicKey())))
			}
			r.benchmark(b, r.serverSide(b, device), m, bm.verdict)
		})
	}
}

func (r *testRelay) benchmark(b *testing.B, device *peer, m *wire.Open, want ecv.Verdict) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		_, grant, code := r.find(device, m, time.Now())
		if code != codeOK {
			b.Fatal(code)
		}
		e, refused := r.judge(context.Background(), device, m, grant)
		if refused != nil {
			b.Fatal(refused.Reasons)
		}
		if e.verdict != want {
			b.Fatal(e.verdict)
		}
	}
}
