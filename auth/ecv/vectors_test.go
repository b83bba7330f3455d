package ecv

import (
	"bytes"
	"crypto/ed25519"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// The vectors were written by an independent program in another language.
//
//go:embed testdata/*.json
var vectors embed.FS

type claimedVector struct {
	Name                string
	Secret, Value       hexBytes
	Feature             string
	SSID, BSSID         hexBytes
	Place               hexBytes
	Latitude, Longitude float64
	Tag                 hexBytes
	PublicKey           hexBytes `json:"public_key"`
	TagID               hexBytes `json:"tag_id"`
}

type vouchedVector struct {
	Name            string
	Secret, Value   hexBytes
	ObservationKey  hexBytes `json:"observation_key"`
	Feature         string
	Device          hexBytes
	Issuer, Subject string
	Address         string
	ASN             uint32
	Country         string
	TagID           hexBytes `json:"tag_id"`
}

type proofVector struct {
	Name               string
	Secret             hexBytes
	Feature            string
	SSID, BSSID, Place hexBytes
	Seen               int64
	Binding            hexBytes
	RouterID           hexBytes `json:"router_id"`
	TagID              hexBytes `json:"tag_id"`
	Proof              hexBytes
}

type acceptedVector struct {
	Name    string
	Entries []struct {
		Feature string
		TagID   hexBytes `json:"tag_id"`
	}
	Wire hexBytes
}

type policyVectors struct {
	Valid []struct {
		Name, Text string
		Weights    map[string]uint8
		Allow      uint16
		StepUp     uint16 `json:"step_up"`
		Mandatory  []string
		MaxAge     int `json:"max_age"`
		Services   []struct {
			Service   string
			Allow     uint16
			Mandatory []string
		}
	}
	Refused []struct{ Name, Text string }
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// readVectors decodes one file. It refuses fields that no test looks at, and an
// empty list.
func readVectors[T any](tb testing.TB, file string) (all []T) {
	tb.Helper()
	decodeVectors(tb, file, &all)
	if len(all) == 0 {
		tb.Fatal("there are no vectors")
	}
	return all
}

func policyTexts(tb testing.TB) (v policyVectors) {
	tb.Helper()
	decodeVectors(tb, "policies.json", &v)
	if len(v.Valid) == 0 || len(v.Refused) == 0 {
		tb.Fatal("there are no vectors")
	}
	return v
}

func decodeVectors(tb testing.TB, file string, v any) {
	tb.Helper()
	data, err := vectors.ReadFile("testdata/" + file)
	if err != nil {
		tb.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		tb.Fatalf("%s: %v", file, err)
	}
}

func feature(tb testing.TB, name string) Feature {
	tb.Helper()
	f, ok := ParseFeature(name)
	if !ok {
		tb.Fatalf("no feature %q", name)
	}
	return f
}

func networkOf(ssid, bssid []byte, seen time.Time) Network {
	return Network{SSID: string(ssid), BSSID: [6]byte(bssid), Seen: seen}
}

func placeOf(cell []byte, seen time.Time) (p Place) {
	for _, b := range cell {
		p.Cell = p.Cell<<8 | uint64(b)
	}
	p.Seen = seen
	return p
}

func TestClaimedVectors(t *testing.T) {
	for _, v := range readVectors[claimedVector](t, "claimed.json") {
		t.Run(v.Name, func(t *testing.T) {
			f, secret := feature(t, v.Feature), [32]byte(v.Secret)
			var value []byte
			var id TagID
			if f == WiFi {
				n := networkOf(v.SSID, v.BSSID, time.Time{})
				value, id = wifiValue(n), WiFiTagID(secret, n)
			} else {
				p, err := PlaceAt(v.Latitude, v.Longitude, time.Time{})
				if err != nil || p != placeOf(v.Place, time.Time{}) {
					t.Fatalf("PlaceAt gives %+v, %v", p, err)
				}
				value, id = geoValue(p.geoCell()), GeoTagIDs(secret, p)[0]
			}
			key := tagKey(secret, f, value)
			if !bytes.Equal(value, v.Value) || !bytes.Equal(key.Seed(), v.Tag) || !bytes.Equal(public(key), v.PublicKey) {
				t.Errorf("value %x, tag %x, key %x", value, key.Seed(), public(key))
			}
			if id != TagID(v.TagID) {
				t.Errorf("TagID %x", id)
			}
		})
	}
}

func (v vouchedVector) value() []byte {
	switch {
	case v.Device != nil:
		return DeviceAccount(ed25519.PublicKey(v.Device))
	case v.Issuer != "":
		return OIDCAccount(v.Issuer, v.Subject)
	case v.Address != "":
		return NetValue(netip.MustParseAddr(v.Address))
	case v.ASN != 0:
		return ASNValue(v.ASN)
	}
	return CountryValue(v.Country)
}

func TestVouchedVectors(t *testing.T) {
	for _, v := range readVectors[vouchedVector](t, "vouched.json") {
		t.Run(v.Name, func(t *testing.T) {
			key := ObservationKey([32]byte(v.Secret))
			if key != Key(v.ObservationKey) || !bytes.Equal(v.value(), v.Value) {
				t.Errorf("key %x, value %x", key[:], v.value())
			}
			if id := key.TagID(feature(t, v.Feature), v.value()); id != TagID(v.TagID) {
				t.Errorf("TagID %x", id)
			}
		})
	}
}

// Signatures of RFC 8032 are deterministic, so proofs are too.
func TestProofVectors(t *testing.T) {
	for _, v := range readVectors[proofVector](t, "proofs.json") {
		t.Run(v.Name, func(t *testing.T) {
			f, seen := feature(t, v.Feature), time.Unix(v.Seen, 0)
			c := Context{Binding: [32]byte(v.Binding), Router: [32]byte(v.RouterID)}
			var proof []byte
			if f == WiFi {
				proof = ProveWiFi([32]byte(v.Secret), networkOf(v.SSID, v.BSSID, seen), c)
			} else {
				proof = ProveGeo([32]byte(v.Secret), placeOf(v.Place, seen), c)
			}
			if !bytes.Equal(proof, v.Proof) {
				t.Errorf("proof %x", proof)
			}
			accepted := NewAccepted(Entry{f, TagID(v.TagID)})
			if got := CheckProof(f, v.Proof, c, accepted, time.Hour, seen); got != Matched {
				t.Errorf("it is %s", got)
			}
		})
	}
}

func TestAcceptedVectors(t *testing.T) {
	for _, v := range readVectors[acceptedVector](t, "accepted.json") {
		t.Run(v.Name, func(t *testing.T) {
			var entries []Entry
			for _, e := range v.Entries {
				entries = append(entries, Entry{feature(t, e.Feature), TagID(e.TagID)})
			}
			slices.Reverse(entries) // NewAccepted sorts
			accepted := NewAccepted(entries...)
			if got := accepted.Append(nil); !bytes.Equal(got, v.Wire) {
				t.Errorf("written as %x", got)
			}
			if got, err := ParseAccepted(v.Wire); err != nil || !got.Equal(accepted) {
				t.Errorf("read as %v, %v", got, err)
			}
		})
	}
}

func TestPolicyVectors(t *testing.T) {
	set := func(names []string) (s Set) {
		for _, name := range names {
			s |= SetOf(feature(t, name))
		}
		return s
	}
	for _, v := range policyTexts(t).Valid {
		t.Run(v.Name, func(t *testing.T) {
			p := Policy{Allow: v.Allow, StepUp: v.StepUp, Mandatory: set(v.Mandatory), MaxAge: time.Duration(v.MaxAge) * time.Second}
			for name, weight := range v.Weights {
				p.Weights[feature(t, name)] = weight
			}
			for _, d := range v.Services {
				p.Services = append(p.Services, Demand{d.Service, d.Allow, set(d.Mandatory)})
			}
			if got := p.String(); got != v.Text {
				t.Errorf("written as %q", got)
			}
			if got, err := ParsePolicy(v.Text); err != nil || !equalPolicies(got, p) {
				t.Errorf("read as %+v, %v", got, err)
			}
		})
	}
}

func TestRefusedPolicies(t *testing.T) {
	for _, v := range policyTexts(t).Refused {
		t.Run(v.Name, func(t *testing.T) {
			if p, err := ParsePolicy(v.Text); !errors.Is(err, ErrPolicy) || !equalPolicies(p, Policy{}) {
				t.Errorf("read as %+v, %v", p, err)
			}
		})
	}
}

func equalPolicies(a, b Policy) bool {
	return a.Weights == b.Weights && a.Allow == b.Allow && a.StepUp == b.StepUp && a.Mandatory == b.Mandatory &&
		a.MaxAge == b.MaxAge && slices.Equal(a.Services, b.Services)
}
