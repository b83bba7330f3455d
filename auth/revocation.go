package auth

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// MaxRevocations is how many devices a router's revocations can name. An entry
// is needed only until the grants that it voids have expired.
const MaxRevocations = 256

const (
	revocationsHeader = 8          // bytes: the number
	revocationEntry   = idSize + 8 // bytes: DeviceID, serial
)

// MaxRevocationsSize is the most bytes that revocations take on the wire.
const MaxRevocationsSize = revocationsHeader + MaxRevocations*revocationEntry

// ErrRevocations is wrapped by all errors of [ParseRevocations].
var ErrRevocations = errors.New("not a router's revocations")

// Revocations is a router's word on the grants that it has taken back. A relay
// learns it when the router registers, over a connection that the router's key
// was proved on, so it needs no signature. The router decides again in any case.
//
// On the wire: the number, 8 bytes; then, sorted by DeviceID and each once, the
// DeviceID, 32 bytes, and the serial, 8 bytes. Numbers are big endian.
type Revocations struct {
	Number  uint64       // rises with every change; the higher one counts
	Devices []Revocation // at most [MaxRevocations]
}

// Revocation voids the grants of one device up to a serial number. A device
// that has paired again has a higher one.
type Revocation struct {
	Device DeviceID
	Serial uint64
}

// Revoked tells whether the grant with this serial number is void.
func (r Revocations) Revoked(device DeviceID, serial uint64) bool {
	i, found := slices.BinarySearchFunc(r.Devices, device, func(e Revocation, id DeviceID) int {
		return bytes.Compare(e.Device[:], id[:])
	})
	return found && serial <= r.Devices[i].Serial
}

// Append appends the wire form. The devices may be in any order.
func (r Revocations) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, r.Number)
	for _, e := range slices.SortedFunc(slices.Values(r.Devices), compareRevocations) {
		b = append(b, e.Device[:]...)
		b = binary.BigEndian.AppendUint64(b, e.Serial)
	}
	return b
}

// ParseRevocations reads the wire form; there is one for each value.
func ParseRevocations(b []byte) (Revocations, error) {
	if len(b) < revocationsHeader || len(b) > MaxRevocationsSize || (len(b)-revocationsHeader)%revocationEntry != 0 {
		return Revocations{}, fmt.Errorf("%w: %d bytes", ErrRevocations, len(b))
	}
	r := Revocations{Number: binary.BigEndian.Uint64(b)}
	for b = b[revocationsHeader:]; len(b) > 0; b = b[revocationEntry:] {
		r.Devices = append(r.Devices, Revocation{DeviceID(b[:idSize]), binary.BigEndian.Uint64(b[idSize:])})
	}
	for i := 1; i < len(r.Devices); i++ {
		if bytes.Compare(r.Devices[i-1].Device[:], r.Devices[i].Device[:]) >= 0 {
			return Revocations{}, fmt.Errorf("%w: entry %d is out of order", ErrRevocations, i)
		}
	}
	return r, nil
}

func compareRevocations(a, b Revocation) int {
	return cmp.Or(bytes.Compare(a.Device[:], b.Device[:]), cmp.Compare(a.Serial, b.Serial))
}
