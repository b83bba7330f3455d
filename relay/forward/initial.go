package forward

import "encoding/binary"

// Versions of QUIC, and what their Initial packets have in the type bits of the
// first byte (RFC 9000, section 17.2.2; RFC 9369, section 3.2).
const (
	version1     = 0x00000001
	version2     = 0x6b3343cf
	typeBits     = 0x30
	initialType1 = 0x00
	initialType2 = 0x10
)

// maxConnectionID is the longest connection ID of those versions, in bytes.
const maxConnectionID = 20

// initialBytes returns how many bytes at the start of a datagram are Initial
// packets, with which a connection begins. They are all that a client sends
// before its address has passed Retry and is expected.
//
// A tunnel's datagrams come here, too: those that arrive before their leg is
// bound, or after it has ended, since nothing in them says whose they are. Of
// them, short-header packets are the ones with payload, and during the handshake
// one may share a datagram with Initial packets. It is cut off here. A tunnel's
// Initial packets hold the start of its handshake, under keys that anybody can
// work out; nothing more than that reaches the control plane.
//
// A version that we don't know has no other form that could be told apart, and
// is no tunnel's: QUIC answers it with the versions that it knows.
func initialBytes(datagram []byte) (n int) {
	for n < len(datagram) {
		length, known := initialLength(datagram[n:])
		if !known && n == 0 {
			return len(datagram)
		}
		if length == 0 {
			break
		}
		n += length
	}
	return n
}

// initialLength returns the length of the Initial packet that b begins with, or
// zero if it begins with none. known is false for a long header of another
// version than ours.
func initialLength(b []byte) (length int, known bool) {
	if len(b) < 5 || b[0]&longHeader == 0 {
		return 0, true
	}
	switch version, kind := binary.BigEndian.Uint32(b[1:]), b[0]&typeBits; {
	case version != version1 && version != version2:
		return 0, false
	case version == version1 && kind != initialType1, version == version2 && kind != initialType2:
		return 0, true
	}
	at := 5
	for range 2 { // destination and source
		if at >= len(b) || b[at] > maxConnectionID {
			return 0, true
		}
		at += 1 + int(b[at])
	}
	token, at := varint(b, at)
	rest, at := varint(b, skip(at, token, len(b)))
	return max(skip(at, rest, len(b)), 0), true
}

// varint reads one of QUIC's integers (RFC 9000, section 16) at at, and returns
// where it ends. A negative at, given or returned, is beyond the end of b.
func varint(b []byte, at int) (v uint64, next int) {
	if at < 0 || at >= len(b) {
		return 0, -1
	}
	size := 1 << (b[at] >> 6)
	if at+size > len(b) {
		return 0, -1
	}
	v = uint64(b[at] & 0x3f)
	for _, c := range b[at+1 : at+size] {
		v = v<<8 | uint64(c)
	}
	return v, at + size
}

// skip returns at + n, or a negative number if that is beyond end.
func skip(at int, n uint64, end int) int {
	if at < 0 || n > uint64(end-at) {
		return -1
	}
	return at + int(n)
}
