package wire

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
)

const macSize = LegMessageSize - macOffset

// LegSecret authenticates the messages of one leg. Relay and endpoint share
// it. The fmt package prints a placeholder for it, whatever the verb.
type LegSecret [32]byte

// Format implements [fmt.Formatter], to keep secrets out of logs.
func (LegSecret) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "[leg secret]")
}

// VerifyLegMessage tells whether b is as long as a leg message and ends with
// the MAC of its other bytes under key. The comparison takes constant time.
// It may be called concurrently and does not allocate.
func VerifyLegMessage(b []byte, key *LegSecret) bool {
	if len(b) != LegMessageSize {
		return false
	}
	mac := key.mac(b[:macOffset])
	return subtle.ConstantTimeCompare(mac[:], b[macOffset:]) == 1
}

// mac computes HMAC-SHA256 (RFC 2104) over the authenticated bytes of a leg
// message, cut to macSize. crypto/hmac would allocate for every message or
// keep state per leg; with key and message of fixed size the definition is
// short enough to be written out.
func (k *LegSecret) mac(authenticated []byte) [macSize]byte {
	var inner [sha256.BlockSize + macOffset]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(inner[:], k[:])
	copy(outer[:], k[:])
	for i := range sha256.BlockSize {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	copy(inner[sha256.BlockSize:], authenticated)
	sum := sha256.Sum256(inner[:])
	copy(outer[sha256.BlockSize:], sum[:])
	sum = sha256.Sum256(outer[:])
	return [macSize]byte(sum[:])
}
