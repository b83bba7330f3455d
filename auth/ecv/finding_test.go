package ecv

import (
	"encoding/hex"
	"net/netip"
	"testing"
	"time"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestStateNames(t *testing.T) {
	want := []string{"missing", "invalid", "stale", "unknown", "impossible", "matched", "undefined"}
	for i, name := range want {
		if got := State(i).String(); got != name {
			t.Errorf("%d is called %q, want %q", i, got, name)
		}
	}
}

func TestCheckEvidence(t *testing.T) {
	network, berlin := testNetwork, place(t, 52.5163, 13.3777)
	at := func(p Place, seen time.Time) *Place { p.Seen = seen; return &p }
	on := func(n Network) *Network { return &n }
	stranger := testSecret
	stranger[31] ^= 0x80
	for name, c := range map[string]struct {
		e         Evidence
		secret    [32]byte
		wifi, geo State
	}{
		"nothing":           {Evidence{}, testSecret, Missing, Missing},
		"at home":           {Evidence{&network, &berlin}, testSecret, Matched, Matched},
		"in the network":    {Evidence{WiFi: &network}, testSecret, Matched, Missing},
		"at the place":      {Evidence{Place: &berlin}, testSecret, Missing, Matched},
		"elsewhere":         {Evidence{on(Network{SSID: "Café", Seen: now}), at(place(t, 48.1, 11.6), now)}, testSecret, Unknown, Unknown},
		"a twin's BSSID":    {Evidence{WiFi: on(Network{SSID: testNetwork.SSID, BSSID: [6]byte{2}, Seen: now})}, testSecret, Unknown, Missing},
		"another pairing":   {Evidence{&network, &berlin}, stranger, Unknown, Unknown},
		"an hour ago":       {Evidence{on(seenAt(now.Add(-time.Hour))), at(berlin, now.Add(-time.Hour))}, testSecret, Matched, Matched},
		"a moment too old":  {Evidence{on(seenAt(now.Add(-time.Hour - 1))), at(berlin, now.Add(-time.Hour-1))}, testSecret, Stale, Stale},
		"in the future":     {Evidence{on(seenAt(now.Add(FutureSkew + 1))), at(berlin, now.Add(FutureSkew+1))}, testSecret, Stale, Stale},
		"at no time":        {Evidence{on(seenAt(time.Time{})), at(berlin, time.Time{})}, testSecret, Stale, Stale},
		"malformed":         {Evidence{on(Network{Seen: now}), &Place{Cell: 6 << 61, Seen: now}}, testSecret, Invalid, Invalid},
		"a cell in another": {Evidence{Place: &Place{Cell: uint64(berlin.geoCell()), Seen: now}}, testSecret, Missing, Invalid},
	} {
		want := Findings{WiFi: c.wifi, Geo: c.geo}
		if got := CheckEvidence(c.e, c.secret, home(t), time.Hour, now); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if got := CheckEvidence(c.e, c.secret, Accepted{}, time.Hour, now); got[WiFi] == Matched || got[Geo] == Matched {
			t.Errorf("%s: %v, and nothing is accepted", name, got)
		}
	}
}

// Relay and router come to the same findings, one from proofs, one in clear.
func TestProofsAgreeWithEvidence(t *testing.T) {
	for _, n := range []Network{testNetwork, {SSID: "Café", Seen: now}, seenAt(now.Add(-2 * time.Hour))} {
		for _, p := range []Place{place(t, 52.5163, 13.3777), place(t, 52.6, 13.38), place(t, 48.1, 11.6)} {
			clear := CheckEvidence(Evidence{&n, &p}, testSecret, home(t), time.Hour, now)
			wifi := CheckProof(WiFi, ProveWiFi(testSecret, n, testContext), testContext, home(t), time.Hour, now)
			geo := CheckProof(Geo, ProveGeo(testSecret, p, testContext), testContext, home(t), time.Hour, now)
			if clear[WiFi] != wifi || clear[Geo] != geo {
				t.Errorf("in clear %v, by proofs %s and %s", clear, wifi, geo)
			}
		}
	}
}

func TestCheckVouched(t *testing.T) {
	key := ObservationKey(testSecret)
	source := key.TagID(Net, NetValue(netip.MustParseAddr("198.51.100.77")))
	accepted := NewAccepted(Entry{Net, source}, Entry{WiFi, source}, Entry{Geo, TagID{}}, Entry{Net, TagID{}}, Entry{9, source})
	for name, c := range map[string]struct {
		f    Feature
		id   TagID
		want State
	}{
		"the same network":     {Net, key.TagID(Net, NetValue(netip.MustParseAddr("198.51.96.1"))), Matched},
		"another network":      {Net, key.TagID(Net, NetValue(netip.MustParseAddr("198.51.112.1"))), Unknown},
		"another's key":        {Net, Key{1}.TagID(Net, NetValue(netip.MustParseAddr("198.51.96.1"))), Unknown},
		"as another feature":   {ASN, source, Unknown},
		"nothing observed":     {Net, key.TagID(Net, NetValue(netip.Addr{})), Missing},
		"no key was lent":      {Net, Key{}.TagID(Net, NetValue(netip.MustParseAddr("198.51.96.1"))), Missing},
		"what needs a proof":   {WiFi, source, Invalid},
		"a place":              {Geo, source, Invalid},
		"what is not known":    {9, source, Invalid},
		"another feature's ID": {Net, key.TagID(ASN, NetValue(netip.MustParseAddr("198.51.96.1"))), Unknown},
	} {
		if got := CheckVouched(c.f, c.id, accepted); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestVouchedValues(t *testing.T) {
	addr := netip.MustParseAddr
	for name, c := range map[string]struct {
		a, b []byte
		same bool
	}{
		"one IPv4 /20":              {NetValue(addr("10.0.0.1")), NetValue(addr("10.0.15.255")), true},
		"two IPv4 /20":              {NetValue(addr("10.0.0.1")), NetValue(addr("10.0.16.0")), false},
		"IPv4 in IPv6":              {NetValue(addr("10.0.0.1")), NetValue(addr("::ffff:10.0.0.1")), true},
		"one IPv6 /40":              {NetValue(addr("2001:db8:1200::1")), NetValue(addr("2001:db8:12ff:1::")), true},
		"two IPv6 /40":              {NetValue(addr("2001:db8:1200::1")), NetValue(addr("2001:db8:1300::1")), false},
		"a zone":                    {NetValue(addr("fe80::1%eth0")), NetValue(addr("fe80::1")), true},
		"IPv4 and its bytes":        {NetValue(addr("10.0.0.0")), NetValue(addr("a00::")), false},
		"where the issuer ends":     {OIDCAccount("https://a", "b"), OIDCAccount("https://", "ab"), false},
		"an account and a device":   {OIDCAccount("https://a", "b"), DeviceAccount(make([]byte, 32)), false},
		"two systems":               {ASNValue(1), ASNValue(256), false},
		"two countries":             {CountryValue("DE"), CountryValue("ED"), false},
		"an issuer with its length": {OIDCAccount("a\x00\x00\x00\x01", "b"), OIDCAccount("a", "\x00\x00\x00\x01b"), false},
	} {
		if same := string(c.a) == string(c.b); same != c.same || len(c.a) == 0 || len(c.b) == 0 {
			t.Errorf("%s: %x and %x", name, c.a, c.b)
		}
	}
	for name, value := range map[string][]byte{
		"no address": NetValue(netip.Addr{}), "system 0": ASNValue(0), "no issuer": OIDCAccount("", "s"),
		"no subject": OIDCAccount("i", ""), "no key": DeviceAccount(nil), "half a key": DeviceAccount(make([]byte, 16)),
		"no country": CountryValue(""), "small letters": CountryValue("de"), "three letters": CountryValue("DEU"),
		"digits": CountryValue("D1"), "one letter": CountryValue("D"),
	} {
		if value != nil {
			t.Errorf("%s has the value %x", name, value)
		}
	}
}
