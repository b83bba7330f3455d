package ecv

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	now         = time.Unix(1_800_000_000, 0).UTC()
	testSecret  = sha256.Sum256([]byte("a pairing secret"))
	testContext = Context{Binding: sha256.Sum256([]byte("a connection")), Router: sha256.Sum256([]byte("a router"))}
	testNetwork = Network{SSID: "Home 5 GHz", BSSID: [6]byte{0xa0, 0xb1, 0xc2, 0xd3, 0xe4, 0xf5}, Seen: now}
)

func place(tb testing.TB, latitude, longitude float64) Place {
	tb.Helper()
	p, err := PlaceAt(latitude, longitude, now)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func geoEntries(ids []TagID) (entries []Entry) {
	for _, id := range ids {
		entries = append(entries, Entry{Geo, id})
	}
	return entries
}

// home is what the router has learned of testNetwork and of a place in Berlin.
func home(tb testing.TB) Accepted {
	tb.Helper()
	entries := geoEntries(GeoTagIDs(testSecret, place(tb, 52.5163, 13.3777)))
	return NewAccepted(append(entries, Entry{WiFi, WiFiTagID(testSecret, testNetwork)})...)
}

func seenAt(at time.Time) Network {
	n := testNetwork
	n.Seen = at
	return n
}

func TestProofAge(t *testing.T) {
	const maxTime = 253402300799 // the last second of the year 9999
	for name, c := range map[string]struct {
		seen time.Time
		want State
	}{
		"now":                           {now, Matched},
		"as old as may be":              {now.Add(-time.Hour), Matched},
		"a second older":                {now.Add(-time.Hour - time.Second), Stale},
		"as far ahead as may be":        {now.Add(FutureSkew), Matched},
		"a second further":              {now.Add(FutureSkew + time.Second), Stale},
		"the beginning of time":         {time.Unix(0, 0), Stale},
		"before the beginning of time":  {time.Unix(-1, 0), Stale},
		"the end of time":               {time.Unix(maxTime, 0), Stale},
		"after the end of time":         {time.Unix(maxTime+1, 0), Stale},
		"where 64 bits turn around":     {time.Unix(-1<<63, 0), Stale},
		"where time.Time would overrun": {time.Unix(1<<63-1, 0), Stale},
	} {
		proof := ProveWiFi(testSecret, seenAt(c.seen), testContext)
		if got := CheckProof(WiFi, proof, testContext, home(t), time.Hour, now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Threat: somebody has seen a proof, at a relay or in a record, and plays it
// again elsewhere; or makes one for another purpose.
func TestProofReplays(t *testing.T) {
	proof := ProveWiFi(testSecret, testNetwork, testContext)
	if got := CheckProof(WiFi, proof, testContext, home(t), time.Hour, now); got != Matched {
		t.Fatalf("the proof itself is %s", got)
	}
	otherBinding, otherRouter := testContext, testContext
	otherBinding.Binding[31] ^= 1
	otherRouter.Router[0] ^= 1
	swapped := Context{Binding: testContext.Router, Router: testContext.Binding}
	redated := slices.Clone(proof)
	binary.BigEndian.PutUint64(redated, uint64(now.Unix())+60)
	stranger := testSecret
	stranger[0] ^= 1

	// The wifi tag key signs for geo, and geo accepts what wifi does.
	confused := prove(Geo, tagKey(testSecret, WiFi, wifiValue(testNetwork)), now, testContext)
	sameID := NewAccepted(Entry{Geo, claimedID(Geo, ed25519.PublicKey(proof[proofKey:proofSignature]))})

	for name, c := range map[string]struct {
		f        Feature
		proof    []byte
		c        Context
		accepted Accepted
		now      time.Time
		want     State
	}{
		"on another connection":            {WiFi, proof, otherBinding, home(t), now, Invalid},
		"for another router":               {WiFi, proof, otherRouter, home(t), now, Invalid},
		"with binding and router swapped":  {WiFi, proof, swapped, home(t), now, Invalid},
		"later":                            {WiFi, proof, testContext, home(t), now.Add(time.Hour + time.Second), Stale},
		"from the future":                  {WiFi, proof, testContext, home(t), now.Add(-FutureSkew - time.Second), Stale},
		"with another date":                {WiFi, redated, testContext, home(t), now, Invalid},
		"for another feature":              {Geo, proof, testContext, home(t), now, Unknown},
		"for one that accepts the key":     {Geo, proof, testContext, sameID, now, Invalid},
		"made for another feature":         {Geo, confused, testContext, home(t), now, Unknown},
		"as an account":                    {Account, proof, testContext, home(t), now, Invalid},
		"as no feature":                    {Feature(Features), proof, testContext, home(t), now, Invalid},
		"of another pairing":               {WiFi, ProveWiFi(stranger, testNetwork, testContext), testContext, home(t), now, Unknown},
		"where nothing is accepted":        {WiFi, proof, testContext, Accepted{}, now, Unknown},
		"with a byte more":                 {WiFi, append(slices.Clone(proof), 0), testContext, home(t), now, Invalid},
		"unknown, with a byte more":        {WiFi, append(ProveWiFi(stranger, testNetwork, testContext), 0), testContext, home(t), now, Invalid},
		"two at once":                      {WiFi, append(slices.Clone(proof), proof...), testContext, home(t), now, Invalid},
		"no proof":                         {WiFi, nil, testContext, home(t), now, Missing},
		"all zeros, where zero is nothing": {WiFi, make([]byte, ProofSize), testContext, home(t), time.Unix(0, 0), Unknown},
	} {
		if got := CheckProof(c.f, c.proof, c.c, c.accepted, time.Hour, c.now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// There is no second proof near a right one: no bit is free.
func TestProofBitFlips(t *testing.T) {
	accepted := home(t)
	proof := ProveWiFi(testSecret, testNetwork, testContext)
	for i := range len(proof) * 8 {
		forged := slices.Clone(proof)
		forged[i/8] ^= 1 << (i % 8)
		if got := CheckProof(WiFi, forged, testContext, accepted, 1<<62, now); got == Matched || got == Missing {
			t.Errorf("with bit %d flipped it is %s", i, got)
		}
	}
}

func TestProofTruncations(t *testing.T) {
	accepted := home(t)
	proof := ProveWiFi(testSecret, testNetwork, testContext)
	for n := 1; n < len(proof); n++ {
		if got := CheckProof(WiFi, proof[:n], testContext, accepted, time.Hour, now); got != Invalid {
			t.Errorf("the first %d bytes are %s", n, got)
		}
	}
}

// Threat: a public key of small order has a signature that fits any message. So
// what counts is whose key it is: the accepted TagIDs name the keys.
func TestProofUniversalSignature(t *testing.T) {
	identity := append([]byte{1}, make([]byte, 31)...) // the neutral point, y = 1
	universal := slices.Concat(identity, make([]byte, 32))
	if !ed25519.Verify(identity, []byte("whatever"), universal) {
		t.Fatal("this signature is not universal, so the test shows nothing")
	}
	keys := map[string][]byte{
		"the neutral point": identity,
		"zero, order 4":     make([]byte, 32),
		"order 2":           append([]byte{0xec}, append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...),
		"order 8":           unhex(t, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
		"order 8, another":  unhex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
		"not canonical":     append([]byte{0xee}, append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...),
	}
	for name, key := range keys {
		forged := slices.Concat(binary.BigEndian.AppendUint64(nil, uint64(now.Unix())), key, universal)
		for _, f := range []Feature{WiFi, Geo} {
			if got := CheckProof(f, forged, testContext, home(t), time.Hour, now); got != Unknown {
				t.Errorf("%s as %s: %s, want unknown", name, f, got)
			}
		}
	}
	forged := slices.Concat(binary.BigEndian.AppendUint64(nil, uint64(now.Unix())), identity, universal)
	pinned := NewAccepted(Entry{WiFi, claimedID(WiFi, identity)})
	if got := CheckProof(WiFi, forged, testContext, pinned, time.Hour, now); got != Matched {
		t.Errorf("were its key accepted it would be %s, so something else refuses it", got)
	}
}

// What is no accepted tag costs no signature check: a wrong signature goes unseen.
func TestProofUnknownBeforeSignature(t *testing.T) {
	proof := ProveWiFi(testSecret, Network{SSID: "Café", Seen: now}, testContext)
	clear(proof[proofSignature:])
	if got := CheckProof(WiFi, proof, testContext, home(t), time.Hour, now); got != Unknown {
		t.Errorf("it is %s", got)
	}
}

func TestKeyIsNotPrinted(t *testing.T) {
	key := ObservationKey(testSecret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		text := fmt.Sprintf(verb, struct{ K Key }{key})
		if !strings.Contains(text, "[observation key]") || strings.Contains(text, fmt.Sprintf("%x", key[0])) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
