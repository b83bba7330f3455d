package auth

import (
	"crypto/rand"
	"encoding/binary"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
)

func BenchmarkVerify(b *testing.B) {
	plain := grantVectors(b)[0].grant()
	full := plain
	full.Policy, full.Accepted = fullPolicy(), acceptedOf(40)
	b.Run("services", func(b *testing.B) { benchmarkVerify(b, plain) })
	b.Run("policy and 40 environments", func(b *testing.B) { benchmarkVerify(b, full) })
}

func benchmarkVerify(b *testing.B, g Grant) {
	router := identityOf(b, 1)
	raw, err := Issue(router, g, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	id := router.RouterID()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Verify(raw, id, g.Device, g.NotBefore); err != nil {
			b.Fatal(err)
		}
	}
}

// fullPolicy demands something of every feature, and something else for as
// many services as a policy can name.
func fullPolicy() *ecv.Policy {
	p := &ecv.Policy{
		Weights: [ecv.Features]uint8{30, 30, 20, 10, 5, 5}, Allow: 60, StepUp: 30,
		Mandatory: ecv.SetOf(ecv.Account, ecv.WiFi), MaxAge: time.Hour,
	}
	for i := range ecv.MaxDemands {
		p.Services = append(p.Services, ecv.Demand{Service: "service-" + string(rune('a'+i)), Allow: 80, Mandatory: ecv.SetOf(ecv.Geo)})
	}
	return p
}

// acceptedOf returns n different environments.
func acceptedOf(n int) ecv.Accepted {
	entries := make([]ecv.Entry, n)
	for i := range entries {
		entries[i].Feature = ecv.Feature(i % ecv.Features)
		binary.BigEndian.PutUint32(entries[i].ID[:], uint32(i+1))
	}
	return ecv.NewAccepted(entries...)
}
