package flows

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// PayloadSize is the size of each datagram's payload, in bytes: the least that
// QUIC needs (RFC 9000, section 14).
const PayloadSize = 1200

// A payload:
//
//	0      1        4         9                      1200
//	┌──────┬────────┬─────────┬─────────────────────────┐
//	│ 0x40 │ series │ number  │ bytes of the body       │
//	└──────┴────────┴─────────┴─────────────────────────┘
//
// The first byte has QUIC's fixed bit (RFC 9443). The others are big-endian. The
// series is random, one for each Load and Probe: what comes late of an earlier one
// is not taken for its successor's.
const (
	firstByte    = 0x40
	numberOffset = 1
	bodyOffset   = 9
	numberBits   = 40
)

// series is the part of a number that is the same in all of a Load or Probe.
type series uint64

func newSeries() series { return series(rand.Uint32()>>8) << numberBits }

// of returns the number without the series, and whether it is of this one.
func (s series) of(number uint64) (uint64, bool) {
	return number & (1<<numberBits - 1), number>>numberBits == uint64(s)>>numberBits
}

// newBody makes the body, which is the same in every process.
func newBody() []byte {
	random := rand.New(rand.NewPCG(PayloadSize, bodyOffset))
	body := make([]byte, PayloadSize-bodyOffset)
	for i := range body {
		body[i] = byte(random.Uint32())
	}
	return body
}

// Payload makes a payload.
func Payload(number uint64) []byte {
	b := append(make([]byte, bodyOffset), newBody()...)
	b[0] = firstByte
	setNumber(b, number)
	return b
}

// setNumber numbers a payload, with the series in it.
func setNumber(payload []byte, number uint64) {
	binary.BigEndian.PutUint64(payload[numberOffset:], number)
}

// numberOf reads the number of a payload, with the series in it, and tells whether it is one: by size
// and first byte, and by all of it if there is a body to compare with.
func numberOf(payload, body []byte) (number uint64, ok bool) {
	if len(payload) != PayloadSize || payload[0] != firstByte {
		return 0, false
	}
	return binary.BigEndian.Uint64(payload[numberOffset:]), body == nil || bytes.Equal(payload[bodyOffset:], body)
}

// An order says which flow a number belongs to: the flows take turns, and each
// sends run datagrams when it is its turn.
type order struct{ flows, run uint64 }

// flow is the one that the number belongs to.
func (o order) flow(number uint64) uint64 { return number / o.run % o.flows }

// rank is how many datagrams the flow has sent before it.
func (o order) rank(number uint64) uint64 {
	return number/(o.run*o.flows)*o.run + number%o.run
}
