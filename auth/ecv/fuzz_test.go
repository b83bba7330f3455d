package ecv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"
)

// Threat: a router, or who has its key, puts any text into a grant. What is read
// is valid and has this one spelling, and judging by it does not panic.
func FuzzPolicy(f *testing.F) {
	texts := policyTexts(f)
	for _, v := range texts.Valid {
		f.Add(v.Text)
	}
	for _, v := range texts.Refused {
		f.Add(v.Text)
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, err := ParsePolicy(in)
		if err != nil {
			if !errors.Is(err, ErrPolicy) || !equalPolicies(p, Policy{}) {
				t.Fatalf("%+v, %v", p, err)
			}
			return
		}
		if err := p.Validate(); err != nil {
			t.Fatalf("%q is read, and is not valid: %v", in, err)
		}
		if p.String() != in {
			t.Fatalf("%q is written as %q", in, p.String())
		}
		everything := Findings{Matched, Matched, Matched, Matched, Matched, Matched}
		relay := Findings{Net: Matched, ASN: Matched, Country: Matched}
		if p.Judge(everything).Verdict != Allow || p.JudgeSession(relay, []string{"*"}).Verdict == Allow {
			t.Fatalf("%q lets nobody in, or whomever the relay likes", in)
		}
	})
}

// Threat: any bytes as what a grant accepts. What is read has this one encoding
// and finds each of its entries.
func FuzzAccepted(f *testing.F) {
	for _, v := range readVectors[acceptedVector](f, "accepted.json") {
		f.Add([]byte(v.Wire))
	}
	f.Add(make([]byte, 2*entrySize))
	f.Fuzz(func(t *testing.T, in []byte) {
		accepted, err := ParseAccepted(in)
		if err != nil {
			if !errors.Is(err, ErrAccepted) || !accepted.Equal(Accepted{}) {
				t.Fatalf("%v, %v", accepted, err)
			}
			return
		}
		if out := accepted.Append(nil); !bytes.Equal(out, in) {
			t.Fatalf("%x is written as %x", in, out)
		}
		if again := NewAccepted(accepted.Entries()...); !again.Equal(accepted) {
			t.Fatalf("%v are sorted to %v", accepted, again)
		}
		for _, e := range accepted.Entries() {
			if !accepted.Has(e.Feature, e.ID) || !accepted.Any(e.Feature) {
				t.Fatalf("%v holds %v and does not find it", accepted, e)
			}
		}
	})
}

// Threat: a stranger sends any bytes as a proof. There is no panic, and what
// matches is the one proof that the device would make, bit for bit.
func FuzzProof(f *testing.F) {
	for _, v := range readVectors[proofVector](f, "proofs.json") {
		f.Add([]byte(v.Proof), v.Seen)
	}
	f.Add(ProveWiFi(testSecret, testNetwork, testContext), now.Unix())
	f.Add(ProveGeo(testSecret, place(f, 52.5163, 13.3777), testContext), now.Unix()+3)
	f.Add(make([]byte, ProofSize), int64(0))
	accepted := home(f)
	f.Fuzz(func(t *testing.T, in []byte, clock int64) {
		at := time.Unix(clock, 0)
		for feature := range Feature(Features + 1) {
			state := CheckProof(feature, in, testContext, accepted, time.Hour, at)
			if (len(in) == 0) != (state == Missing) {
				t.Fatalf("%x is %s", in, state)
			}
			if state == Matched && !made(t, feature, in) {
				t.Fatalf("%x is %s as %s, and no device makes it", in, state, feature)
			}
		}
	})
}

// made tells whether the proof is one that the device makes at home.
func made(tb testing.TB, f Feature, proof []byte) bool {
	seen := time.Unix(int64(binary.BigEndian.Uint64(proof)), 0)
	if f == WiFi {
		return bytes.Equal(proof, ProveWiFi(testSecret, seenAt(seen), testContext))
	}
	p := place(tb, 52.5163, 13.3777)
	for _, cell := range surroundings(p.geoCell()) {
		near := Place{Cell: uint64(cell.ChildBeginAtLevel(PlaceLevel)), Seen: seen}
		if bytes.Equal(proof, ProveGeo(testSecret, near, testContext)) {
			return true
		}
	}
	return false
}
