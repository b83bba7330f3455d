package ecv

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/golang/geo/s2"
)

func TestFeatureNames(t *testing.T) {
	for i, want := range []string{"account", "wifi", "geo", "net", "asn", "country"} {
		f := Feature(i)
		if f.String() != want {
			t.Errorf("%d is called %q, want %q", i, f, want)
		}
		if back, ok := ParseFeature(want); !ok || back != f {
			t.Errorf("%q is read as %d, %v", want, back, ok)
		}
		if claimed := f == WiFi || f == Geo; f.Claimed() != claimed {
			t.Errorf("%s: claimed is %v", f, f.Claimed())
		}
	}
	for _, name := range []string{"", "WiFi", "unknown", "net "} {
		if f, ok := ParseFeature(name); ok {
			t.Errorf("%q is read as %s", name, f)
		}
	}
	if got := Feature(Features).String(); got != "unknown" {
		t.Errorf("a feature too many is called %q", got)
	}
}

func TestSet(t *testing.T) {
	s := SetOf(Country, WiFi)
	var got []Feature
	for f := range s.All() {
		got = append(got, f)
	}
	if len(got) != 2 || got[0] != WiFi || got[1] != Country || !s.Has(WiFi) || s.Has(Geo) || s.Has(Feature(8)) {
		t.Errorf("%08b holds %v", s, got)
	}
	for f := range s.All() { // a loop may end early
		if f != WiFi {
			t.Errorf("the first is %s", f)
		}
		break
	}
}

func TestParseBSSID(t *testing.T) {
	want := [6]byte{0xaa, 0xbb, 0xcc, 0x0d, 0xee, 0xff}
	for _, text := range []string{"aa:bb:cc:0d:ee:ff", "AA:BB:CC:0D:EE:FF"} {
		if got, err := ParseBSSID(text); err != nil || got != want {
			t.Errorf("%q is read as %x, %v", text, got, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "all zeros": "00:00:00:00:00:00", "broadcast": "ff:ff:ff:ff:ff:ff",
		"multicast": "01:00:5e:00:00:01", "five parts": "aa:bb:cc:dd:ee", "seven parts": "aa:bb:cc:dd:ee:ff:00",
		"one digit": "aa:bb:cc:d:ee:ff", "four digits": "aabb:cc:dd:ee:ff:00", "no hex": "aa:bb:cc:dd:ee:gg",
		"dashes": "aa-bb-cc-dd-ee-ff", "a space": " aa:bb:cc:dd:ee:ff",
	} {
		got, err := ParseBSSID(text)
		if !errors.Is(err, ErrBSSID) || got != [6]byte{} {
			t.Errorf("%s: read as %x, %v", name, got, err)
		}
	}
}

func TestPlaceAt(t *testing.T) {
	for _, bad := range [][2]float64{
		{90.1, 0}, {-90.1, 0}, {0, 180.1}, {0, -180.1},
		{math.NaN(), 0}, {0, math.NaN()}, {math.Inf(1), 0}, {0, math.Inf(-1)},
	} {
		if p, err := PlaceAt(bad[0], bad[1], now); !errors.Is(err, ErrPlace) || p != (Place{}) {
			t.Errorf("%v is %+v, %v", bad, p, err)
		}
	}
	for _, good := range [][2]float64{{90, 180}, {-90, -180}, {0, 0}, {52.5, 13.4}} {
		p, err := PlaceAt(good[0], good[1], now)
		if err != nil || !p.Valid() || !p.Seen.Equal(now) {
			t.Errorf("%v is %+v, %v", good, p, err)
		}
	}
}

func TestPlaceValid(t *testing.T) {
	leaf := s2.CellIDFromLatLng(s2.LatLngFromDegrees(52.5, 13.4))
	for name, cell := range map[string]s2.CellID{
		"zero": 0, "all ones": math.MaxUint64, "a leaf": leaf, "a larger cell": leaf.Parent(PlaceLevel - 1),
		"a smaller cell": leaf.Parent(PlaceLevel + 1), "a face": leaf.Parent(0),
		"a seventh face":             s2.CellID(uint64(leaf.Parent(PlaceLevel))&(1<<61-1) | 6<<61),
		"the last bit is at no cell": 2,
	} {
		p := Place{Cell: uint64(cell), Seen: now}
		if p.Valid() {
			t.Errorf("%s is valid", name)
		}
		if GeoTagIDs(testSecret, p) != nil || ProveGeo(testSecret, p, testContext) != nil {
			t.Errorf("%s has tags or a proof", name)
		}
	}
}

func TestNetworkValid(t *testing.T) {
	for name, c := range map[string]struct {
		n    Network
		want bool
	}{
		"one byte":      {Network{SSID: "a"}, true},
		"32 bytes":      {Network{SSID: strings.Repeat("a", 32)}, true},
		"not UTF-8":     {Network{SSID: "\xff\x00"}, true},
		"with a BSSID":  {Network{SSID: "a", BSSID: [6]byte{2}}, true},
		"no name":       {Network{BSSID: [6]byte{2}}, false},
		"33 bytes":      {Network{SSID: strings.Repeat("a", 33)}, false},
		"256 bytes":     {Network{SSID: strings.Repeat("a", 256)}, false},
		"multicast":     {Network{SSID: "a", BSSID: [6]byte{1}}, false},
		"the broadcast": {Network{SSID: "a", BSSID: [6]byte{255, 255, 255, 255, 255, 255}}, false},
	} {
		if c.n.Valid() != c.want {
			t.Errorf("%s: valid is %v", name, c.n.Valid())
		}
		if shown := ProveWiFi(testSecret, c.n, testContext) != nil; shown != c.want {
			t.Errorf("%s: it has a proof: %v", name, shown)
		}
		if shown := WiFiTagID(testSecret, c.n) != (TagID{}); shown != c.want {
			t.Errorf("%s: it has a TagID: %v", name, shown)
		}
	}
}

// The device proves its own cell; what the router has learned are that and its
// neighbours, each once.
func TestGeoTagIDsCoverNeighbours(t *testing.T) {
	for name, c := range map[string]struct {
		latitude, longitude float64
		want                int
	}{
		"inside a face":        {52.5163, 13.3777, 9},
		"an edge of the cube":  {0, 45, 9},
		"a corner of the cube": {35.26438968, 45, 8},
		"a pole":               {-90, 0, 9},
	} {
		p := place(t, c.latitude, c.longitude)
		ids := GeoTagIDs(testSecret, p)
		distinct := NewAccepted(geoEntries(ids)...)
		if len(ids) != c.want || len(distinct.Entries()) != c.want {
			t.Errorf("%s: %d TagIDs, %d of them different; want %d", name, len(ids), len(distinct.Entries()), c.want)
		}
		for _, neighbour := range p.geoCell().AllNeighbors(GeoLevel) {
			near := Place{Cell: uint64(neighbour.ChildBeginAtLevel(PlaceLevel)), Seen: now}
			proof := ProveGeo(testSecret, near, testContext)
			if got := CheckProof(Geo, proof, testContext, distinct, time.Hour, now); got != Matched {
				t.Errorf("%s: a neighbour is %s", name, got)
			}
		}
	}
}
