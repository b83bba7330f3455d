package ecv

import (
	"crypto/ed25519"
	"encoding/binary"
	"time"
)

const (
	// ProofSize is the size of a proof in bytes.
	ProofSize = proofKey + ed25519.PublicKeySize + ed25519.SignatureSize

	proofKey       = 8 // offset of the public tag key
	proofSignature = proofKey + ed25519.PublicKeySize

	// FutureSkew is how far ahead the clock of a device may be.
	FutureSkew = 2 * time.Minute
)

// Context is what a proof is good for: one control connection to one relay,
// and one router.
type Context struct {
	Binding [32]byte // drawn from the connection's TLS exporter
	Router  [32]byte // the RouterID
}

// ProveWiFi returns the proof of [ProofSize] bytes that the device is in this
// network; nil if the network is not Valid.
func ProveWiFi(secret [32]byte, n Network, c Context) []byte {
	if !n.Valid() {
		return nil
	}
	return prove(WiFi, tagKey(secret, WiFi, wifiValue(n)), n.Seen, c)
}

// ProveGeo returns the proof of [ProofSize] bytes that the device is in the
// cell of [GeoLevel] around this place; nil if the place is not Valid.
func ProveGeo(secret [32]byte, p Place, c Context) []byte {
	if !p.Valid() {
		return nil
	}
	return prove(Geo, tagKey(secret, Geo, geoValue(p.geoCell())), p.Seen, c)
}

func prove(f Feature, key ed25519.PrivateKey, seen time.Time, c Context) []byte {
	proof := binary.BigEndian.AppendUint64(make([]byte, 0, ProofSize), uint64(seen.Unix()))
	message := proofMessage(f, proof, c)
	proof = append(proof, public(key)...)
	return append(proof, ed25519.Sign(key, message)...)
}

// proofMessage returns what is signed; seen is the proof's first field.
func proofMessage(f Feature, seen []byte, c Context) []byte {
	m := make([]byte, 0, len(labelProof)+2+proofKey+len(c.Binding)+len(c.Router))
	m = append(m, labelProof...)
	m = append(m, 0, byte(f))
	m = append(m, seen...)
	m = append(m, c.Binding[:]...)
	return append(m, c.Router[:]...)
}

// CheckProof says how a proof of a claimed feature stands to what is accepted:
//
//	Missing  raw is empty
//	Invalid  its size or its signature is wrong, or the feature is not claimed
//	Stale    older than maxAge, or more than FutureSkew ahead
//	Unknown  its tag is not accepted; such a proof needs no look at its signature
//	Matched  none of these
func CheckProof(f Feature, raw []byte, c Context, accepted Accepted, maxAge time.Duration, now time.Time) State {
	if len(raw) == 0 {
		return Missing
	}
	if len(raw) != ProofSize || !f.Claimed() {
		return Invalid
	}
	seen := time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	if !fresh(seen, maxAge, now) {
		return Stale
	}
	tag := ed25519.PublicKey(raw[proofKey:proofSignature])
	if !accepted.Has(f, claimedID(f, tag)) {
		return Unknown
	}
	if !ed25519.Verify(tag, proofMessage(f, raw[:proofKey], c), raw[proofSignature:]) {
		return Invalid
	}
	return Matched
}

// fresh may be given any time: Sub stops at the ends of what Duration can hold.
func fresh(seen time.Time, maxAge time.Duration, now time.Time) bool {
	age := now.Sub(seen)
	return age <= maxAge && age >= -FutureSkew
}
