package ecv

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/golang/geo/s2"
)

// What is hashed or signed begins with its label and a zero byte.
const (
	labelTag            = "lethe ecv tag v1"
	labelClaimedID      = "lethe ecv claimed id v1"
	labelProof          = "lethe ecv proof v1"
	labelObservationKey = "lethe ecv observation key v1"
	labelObservation    = "lethe ecv observation v1"
	labelVouchedID      = "lethe ecv vouched id v1"
)

// TagID stands for one value of one feature in a grant. Without the pairing
// secret it says nothing about the value. Zero: there is no value.
type TagID [16]byte

// Key is the observation key, which a device lends to its relay: with it the
// relay makes the [TagID] of what it observes. It tells nothing about the
// pairing secret, nor about claimed features.
type Key [32]byte

// Format implements [fmt.Formatter], to keep the key out of logs.
func (Key) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "[observation key]")
}

// ObservationKey returns the key of this pairing.
func ObservationKey(secret [32]byte) Key {
	return Key(mac(secret[:], labelObservationKey))
}

// TagID returns what stands for an observed value; see [NetValue] and its like.
// It is zero for an empty value, or when the device lent no key.
func (k Key) TagID(f Feature, value []byte) TagID {
	if len(value) == 0 || k == (Key{}) {
		return TagID{}
	}
	observation := mac(k[:], labelObservation, []byte{byte(f)}, value)
	return shortHash(labelVouchedID, observation[:])
}

// WiFiTagID returns what stands for the network; zero if it is not Valid.
func WiFiTagID(secret [32]byte, n Network) TagID {
	if !n.Valid() {
		return TagID{}
	}
	return claimedID(WiFi, public(tagKey(secret, WiFi, wifiValue(n))))
}

// GeoTagIDs returns what stands for the place: first its own cell of
// [GeoLevel], then the neighbours of that, 9 in all or 8 at the corners of S2's
// cube. A router that learns a place accepts them all, so that it does not
// matter how near to a border it is. It returns nil if the place is not Valid.
func GeoTagIDs(secret [32]byte, p Place) []TagID {
	if !p.Valid() {
		return nil
	}
	cells := surroundings(p.geoCell())
	ids := make([]TagID, len(cells))
	for i, cell := range cells {
		ids[i] = geoTagID(secret, cell)
	}
	return ids
}

// ownTagID returns what stands for the place alone; zero if it is not Valid.
func ownTagID(secret [32]byte, p Place) TagID {
	if !p.Valid() {
		return TagID{}
	}
	return geoTagID(secret, p.geoCell())
}

func geoTagID(secret [32]byte, cell s2.CellID) TagID {
	return claimedID(Geo, public(tagKey(secret, Geo, geoValue(cell))))
}

// surroundings returns the cell and its neighbours, each once. S2 names some
// twice at the corners of its cube, where only three cells meet.
func surroundings(cell s2.CellID) []s2.CellID {
	cells := []s2.CellID{cell}
	seen := map[s2.CellID]bool{cell: true}
	for _, neighbour := range cell.AllNeighbors(GeoLevel) {
		if !seen[neighbour] {
			seen[neighbour] = true
			cells = append(cells, neighbour)
		}
	}
	return cells
}

func wifiValue(n Network) []byte {
	value := append([]byte{byte(len(n.SSID))}, n.SSID...)
	return append(value, n.BSSID[:]...)
}

func geoValue(cell s2.CellID) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(cell))
}

// tagKey returns the key whose seed is the tag of a claimed value. It never
// leaves the device or the router.
func tagKey(secret [32]byte, f Feature, value []byte) ed25519.PrivateKey {
	tag := mac(secret[:], labelTag, []byte{byte(f)}, value)
	return ed25519.NewKeyFromSeed(tag[:])
}

func claimedID(f Feature, tag ed25519.PublicKey) TagID {
	return shortHash(labelClaimedID, []byte{byte(f)}, tag)
}

func public(key ed25519.PrivateKey) ed25519.PublicKey {
	return key.Public().(ed25519.PublicKey)
}

func mac(key []byte, label string, parts ...[]byte) [32]byte {
	h := hmac.New(sha256.New, key)
	h.Write(append([]byte(label), 0))
	for _, part := range parts {
		h.Write(part)
	}
	return [32]byte(h.Sum(nil))
}

func shortHash(label string, parts ...[]byte) TagID {
	h := sha256.New()
	h.Write(append([]byte(label), 0))
	for _, part := range parts {
		h.Write(part)
	}
	return TagID(h.Sum(nil)[:16])
}
