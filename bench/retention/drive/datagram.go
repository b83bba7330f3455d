package drive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// A datagram of a bare session:
//
//	0      1    2        4       8                16                     1200
//	┌──────┬────┬────────┬───────┬────────────────┬──────────────────────┐
//	│ 0x40 │ 0  │ filling│ check │ number         │ 74 blocks of canary  │
//	└──────┴────┴────────┴───────┴────────────────┴──────────────────────┘
//
// The first byte is QUIC's fixed bit, so that the relay takes it for a
// tunnel's (RFC 9443). The number tells the flow, and rises with each datagram;
// the check follows from it, so that a number which was changed is not taken
// for a loss.
//
// To make blocks and to verify them costs more than to relay them. So a sender
// makes a few hundred fillings once, 74 blocks each that nobody else has, and
// sends them round and round; the other end remembers what is right. All bytes
// of all datagrams are compared.
const (
	firstByte      = 0x40
	fillingOffset  = 2
	checkOffset    = 4
	numberOffset   = 8
	bodyOffset     = 16
	datagramSize   = 1200 // bytes: the least that QUIC needs (RFC 9000, section 14)
	datagramBlocks = (datagramSize - bodyOffset) / canary.BlockSize
	runDatagrams   = 53 // in one GSO send: 63,600 bytes, about what the kernel takes
)

var errContent = errors.New("what arrived is not what was sent")

// writeDatagram writes a filling of the flow that a number belongs to.
func writeDatagram(p *canary.Planter, b []byte, number uint64, filling uint16) {
	clear(b[:bodyOffset])
	b[0] = firstByte
	binary.BigEndian.PutUint16(b[fillingOffset:], filling)
	numberDatagram(b, number)
	p.Fill(b[bodyOffset:datagramSize], flowOf(number)<<sessionShift+uint64(filling)*datagramBlocks)
}

// numberDatagram gives a datagram another number of its flow.
func numberDatagram(b []byte, number uint64) {
	binary.BigEndian.PutUint32(b[checkOffset:], uint32(number*0x9e3779b97f4a7c15>>32)) // Fibonacci hashing
	binary.BigEndian.PutUint64(b[numberOffset:], number)
}

// inspector checks the datagrams of one flow, every byte of them. It is for one
// goroutine.
type inspector struct {
	*part
	right map[uint16][]byte // by filling: the datagram as it should be
	flow  uint64            // of the first datagram that came
	next  uint64            // the least number that may come
	lost  uint64            // datagrams
}

func newInspector(p *part) *inspector {
	return &inspector{part: p, right: make(map[uint16][]byte)}
}

// inspect checks a datagram. Some may be lost on the way, but nothing is
// turned round, come twice or be changed.
func (i *inspector) inspect(b []byte) error {
	if len(b) != datagramSize || b[0] != firstByte {
		return fmt.Errorf("%w: a datagram of %d bytes", errContent, len(b))
	}
	number := binary.BigEndian.Uint64(b[numberOffset:])
	if i.next == 0 {
		i.flow, i.next = flowOf(number), number
	}
	switch {
	case number>>groupShift != uint64(i.group) || flowOf(number) != i.flow:
		return fmt.Errorf("%w: a datagram of another session", errContent)
	case number < i.next:
		return fmt.Errorf("%w: a datagram came twice, or after a later one", errContent)
	case !bytes.Equal(b, i.expected(number, binary.BigEndian.Uint16(b[fillingOffset:]))):
		return fmt.Errorf("%w: datagram %d of session %d", errContent, number<<24>>24, i.flow&(maxSessions-1))
	}
	i.lost += number - i.next
	i.next = number + 1
	return nil
}

// expected is the datagram as it should be. It is valid until the next call.
func (i *inspector) expected(number uint64, filling uint16) []byte {
	b := i.right[filling]
	if b == nil {
		b = make([]byte, datagramSize)
		writeDatagram(i.planter, b, number, filling)
		i.right[filling] = b
	}
	numberDatagram(b, number)
	return b
}
