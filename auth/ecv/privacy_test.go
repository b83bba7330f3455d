package ecv

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/golang/geo/s2"
)

// everyCell, in the environment, makes the test try all cells of the earth,
// which takes minutes of CPU. Otherwise it tries a sample with the right cell.
const everyCell = "LETHE_EVERY_CELL"

// Threat: a relay that keeps what it receives, or a thief of a grant, tries all
// places and ten thousand network names. Without the pairing secret nothing is
// found. With it everything is, so the search is a good one.
func TestPrivacyOfClaimedFeatures(t *testing.T) {
	v := newVictim(t)
	outside := windowsOf(v.outside(t))
	networks, right := allNetworks()
	sample := sampleOfCells(v.place)

	if found := outside.search(testSecret, WiFi, networks); !slices.Equal(found, []int{right}) {
		t.Errorf("with the secret, networks %v are found, and it is %d", found, right)
	}
	if found := outside.search(testSecret, Geo, sample); !slices.Equal(found, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("with the secret, cells %v are found, and the first 9 are accepted", found)
	}
	t.Logf("%d networks; a sample of %d cells: %s=1 tries the observation key on all %d", networks.n, sample.n, everyCell, cellsOfEarth)
	for name, key := range v.keysWithoutTheSecret() {
		cells := sample
		if os.Getenv(everyCell) == "1" && name == observationKey {
			cells = allCells(t, v.place)
			t.Logf("with %s: all %d cells", name, cells.n)
		}
		if found := outside.search(key, WiFi, networks); len(found) > 0 {
			t.Errorf("with %s, networks %v are found", name, found)
		}
		if found := outside.search(key, Geo, cells); len(found) > 0 {
			t.Errorf("with %s, cells %v are found", name, found)
		}
	}
}

// What the relay vouches for is seen by it in any case, and only by it: who has
// the grant, and no observation key, finds nothing.
func TestPrivacyOfVouchedFeatures(t *testing.T) {
	v := newVictim(t)
	outside := windowsOf(v.outside(t))
	countries := candidates{26 * 26, func(i int) []byte { return []byte{'A' + byte(i/26), 'A' + byte(i%26)} }}
	for name, key := range v.keysWithoutTheSecret() {
		var want []int
		if name == observationKey {
			want = []int{3*26 + 4} // DE
		}
		if found := outside.search(key, Country, countries); !slices.Equal(found, want) {
			t.Errorf("with %s, countries %v are found, want %v", name, found, want)
		}
	}
}

// Nothing leaves the device in clear either.
func TestPrivacyNothingInClear(t *testing.T) {
	v := newVictim(t)
	outside := v.outside(t)
	for name, value := range map[string][]byte{
		"the name": []byte(v.network.SSID), "the BSSID": v.network.BSSID[:], "the secret": testSecret[:8],
		"the place": placeBytes(v.place.Cell), "the cell": placeBytes(uint64(v.place.geoCell())),
	} {
		if reversed := reverse(value); bytes.Contains(outside, value) || bytes.Contains(outside, reversed) {
			t.Errorf("%s is in what leaves the device", name)
		}
	}
}

func placeBytes(cell uint64) []byte { return geoValue(s2.CellID(cell))[:6] } // the rest is zeros

func reverse(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

// A victim is a device at home. Its network and its place are among the
// candidates.
type victim struct {
	network Network
	place   Place
	device  ed25519.PublicKey
}

func newVictim(tb testing.TB) victim {
	tb.Helper()
	networks, right := allNetworks()
	value := networks.value(right)
	ssid, bssid := value[1:1+value[0]], value[1+value[0]:]
	seed := sha256.Sum256([]byte("a device"))
	return victim{
		network: networkOf(ssid, bssid, now),
		place:   place(tb, 52.5163, 13.3777),
		device:  public(ed25519.NewKeyFromSeed(seed[:])),
	}
}

// outside returns all that leaves the device, and all of the grant: what a relay
// receives and what a thief finds.
func (v victim) outside(tb testing.TB) []byte {
	tb.Helper()
	key := ObservationKey(testSecret)
	accepted := append(geoEntries(GeoTagIDs(testSecret, v.place)), Entry{WiFi, WiFiTagID(testSecret, v.network)})
	for f, value := range map[Feature][]byte{
		Account: OIDCAccount("https://login.example", "248289761001"),
		Net:     NetValue(netip.MustParseAddr("198.51.100.77")),
		ASN:     ASNValue(3320),
		Country: CountryValue("DE"),
	} {
		accepted = append(accepted, Entry{f, key.TagID(f, value)}) // the vouched TagIDs are the same as these
	}
	p := testPolicy()
	return slices.Concat(
		ProveWiFi(testSecret, v.network, testContext), ProveGeo(testSecret, v.place, testContext), key[:],
		NewAccepted(accepted...).Append(nil), []byte(p.String()),
		testContext.Binding[:], testContext.Router[:], v.device,
	)
}

const observationKey = "the observation key"

// keysWithoutTheSecret are what a relay or a thief knows, and might try.
func (v victim) keysWithoutTheSecret() map[string][32]byte {
	return map[string][32]byte{
		observationKey:   ObservationKey(testSecret),
		"no key":         {},
		"the RouterID":   testContext.Router,
		"the device key": [32]byte(v.device),
		"the binding":    testContext.Binding,
	}
}
