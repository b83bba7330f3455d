package part

import (
	"bytes"
	"encoding/binary"
)

// A datagram of a raw flow:
//
//	0      1           9                        1200
//	┌──────┬───────────┬─────────────────────────┐
//	│ 0x40 │ number    │ bytes of the pattern    │
//	└──────┴───────────┴─────────────────────────┘
//
// The first byte is QUIC's fixed bit, so that the relay takes it for a
// tunnel's (RFC 9443). The number is big-endian and rises by one.
const (
	firstByte    = 0x40
	numberOffset = 1
	bodyOffset   = 9
)

// datagrams makes a run of n datagrams, not numbered yet.
func (p pattern) datagrams(n int) []byte {
	run := make([]byte, n*datagramSize)
	for at := 0; at < len(run); at += datagramSize {
		run[at] = firstByte
		copy(run[at+bodyOffset:at+datagramSize], p.at(0))
	}
	return run
}

// number numbers a datagram.
func (pattern) number(datagram []byte, number uint64) {
	datagram[0] = firstByte
	binary.BigEndian.PutUint64(datagram[numberOffset:], number)
}

// check returns a datagram's number, and whether the datagram is as it was
// made; all says to look at the body too.
func (p pattern) check(datagram []byte, all bool) (number uint64, ok bool) {
	if len(datagram) != datagramSize || datagram[0] != firstByte {
		return 0, false
	}
	number = binary.BigEndian.Uint64(datagram[numberOffset:])
	return number, !all || bytes.Equal(datagram[bodyOffset:], p.at(0)[:datagramSize-bodyOffset])
}
