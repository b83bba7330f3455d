package ecv

import (
	"testing"
	"time"
)

func BenchmarkCheckProof(b *testing.B) {
	accepted := home(b)
	proofs := map[State][]byte{
		Matched: ProveWiFi(testSecret, testNetwork, testContext),
		Unknown: ProveWiFi(testSecret, Network{SSID: "Café", Seen: now}, testContext),
	}
	for want, proof := range proofs {
		b.Run(want.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := CheckProof(WiFi, proof, testContext, accepted, time.Hour, now); got != want {
					b.Fatal(got)
				}
			}
		})
	}
}

func BenchmarkJudge(b *testing.B) {
	p := testPolicy()
	f := Findings{Account: Matched, WiFi: Matched, Geo: Stale, Net: Unknown}
	b.ReportAllocs()
	for b.Loop() {
		if j := p.Judge(f); j.Verdict != Allow {
			b.Fatal(j)
		}
	}
}

func BenchmarkProveWiFi(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ProveWiFi(testSecret, testNetwork, testContext)
	}
}

func BenchmarkGeoTagIDs(b *testing.B) {
	p := place(b, 52.5163, 13.3777)
	b.ReportAllocs()
	for b.Loop() {
		GeoTagIDs(testSecret, p)
	}
}
