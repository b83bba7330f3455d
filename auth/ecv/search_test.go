package ecv

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/golang/geo/s2"
)

// Candidates are the values of a feature that a searcher tries.
type candidates struct {
	n     int
	value func(i int) []byte
}

// Windows are all runs of 16 bytes in what a searcher has.
type windows map[[16]byte]bool

func windowsOf(b []byte) windows {
	w := make(windows)
	for ; len(b) >= 16; b = b[1:] {
		w[[16]byte(b)] = true
	}
	return w
}

// search returns the candidates from which, with this key, something can be made
// that is among the windows. It uses all cores.
func (w windows) search(key [32]byte, f Feature, c candidates) (found []int) {
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		workers = runtime.GOMAXPROCS(0)
	)
	for first := range workers {
		wg.Go(func() {
			for i := first; i < c.n; i += workers {
				if w.betray(key, f, c.value(i)) {
					mu.Lock()
					found = append(found, i)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(found)
	return found
}

// betray makes of a value all that the specification makes, and what it would
// make if it used no key.
func (w windows) betray(key [32]byte, f Feature, value []byte) bool {
	tag := mac(key[:], labelTag, []byte{byte(f)}, value)
	private := ed25519.NewKeyFromSeed(tag[:])
	observation := mac(key[:], labelObservation, []byte{byte(f)}, value)
	plain := sha256.Sum256(value)
	return w[[16]byte(tag[:])] ||
		w[[16]byte(public(private))] ||
		w[claimedID(f, public(private))] ||
		w[[16]byte(observation[:])] ||
		w[shortHash(labelVouchedID, observation[:])] ||
		w[shortHash(labelVouchedID, value)] ||
		w[shortHash(labelClaimedID, []byte{byte(f)}, value)] ||
		w[[16]byte(plain[:])]
}

// allNetworks returns 10,000 names as vendors and people choose them, each with
// a few access points, and which of these is the victim's.
func allNetworks() (c candidates, right int) {
	bssids := [][6]byte{{}, {0x3c, 0xa6, 0x2f, 0x11, 0x22, 0x33}, {0xa0, 0xb1, 0xc2, 0xd3, 0xe4, 0xf5}}
	names := networkNames()
	right = 7421*len(bssids) + 2
	return candidates{len(names) * len(bssids), func(i int) []byte {
		return wifiValue(Network{SSID: names[i/len(bssids)], BSSID: bssids[i%len(bssids)]})
	}}, right
}

func networkNames() (names []string) {
	vendors := []string{
		"FRITZ!Box 7590 %02X", "FRITZ!Box 7530 %02X", "WLAN-%06d", "Vodafone-%04X", "TP-Link_%04X",
		"NETGEAR%02d", "Speedport-%06d", "o2-WLAN%02d", "Linksys%05d", "ASUS_%02X_5G",
		"HUAWEI-%04X", "Livebox-%04X", "BTHub6-%04X", "xfinitywifi %d", "DIRECT-%02X-HP",
	}
	words := []string{
		"home", "Home", "guest", "office", "cafe", "kitchen", "garden", "attic", "loft", "studio",
		"family", "cats", "dragon", "castle", "internet", "wifi", "martin", "router", "free", "hotel",
	}
	for _, vendor := range vendors {
		for i := range 400 {
			names = append(names, fmt.Sprintf(vendor, i))
		}
	}
	for _, word := range words {
		for i := range 200 {
			names = append(names, fmt.Sprintf("%s %d", word, i))
		}
	}
	return names
}

const cellsOfEarth = 6 << (2 * GeoLevel) // 6 faces, each cell with 4 children

// allCells returns all cells of [GeoLevel]. It fails if the right one is not
// among them.
func allCells(tb testing.TB, right Place) candidates {
	tb.Helper()
	first := s2.CellIDFromFace(0).ChildBeginAtLevel(GeoLevel)
	last := s2.CellIDFromFace(5).ChildEndAtLevel(GeoLevel)
	if first.Advance(cellsOfEarth) != last {
		tb.Fatalf("there are not %d cells", cellsOfEarth)
	}
	all := candidates{cellsOfEarth, func(i int) []byte { return geoValue(first.Advance(int64(i))) }}
	index := int((right.geoCell() - first) / (first.Next() - first))
	if !bytes.Equal(all.value(index), geoValue(right.geoCell())) {
		tb.Fatal("the right cell is not among all cells")
	}
	return all
}

// sampleOfCells returns a place's cell, its neighbours, and cells from all over
// the earth.
func sampleOfCells(right Place) candidates {
	const step = 1259 // a prime, so that the cells lie differently in their parents
	cells := surroundings(right.geoCell())
	near := slices.Clone(cells)
	first := s2.CellIDFromFace(0).ChildBeginAtLevel(GeoLevel)
	for i := int64(0); i < cellsOfEarth; i += step {
		if cell := first.Advance(i); !slices.Contains(near, cell) {
			cells = append(cells, cell)
		}
	}
	return candidates{len(cells), func(i int) []byte { return geoValue(cells[i]) }}
}

// The lists are what they say: a search among doubles would prove less.
func TestSearchedNames(t *testing.T) {
	names := networkNames()
	distinct := slices.Compact(slices.Sorted(slices.Values(names)))
	if len(names) != 10_000 || len(distinct) != 10_000 {
		t.Fatalf("%d names, %d of them different", len(names), len(distinct))
	}
	for _, name := range names {
		if !(Network{SSID: name}).Valid() {
			t.Errorf("%q is no network's name", name)
		}
	}
}
