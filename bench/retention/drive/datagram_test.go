package drive

import (
	"errors"
	"slices"
	"testing"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

func testPart(group int) *part {
	p := newPart()
	p.group, p.planter = group, canary.NewPlanter(canary.NewKey())
	return p
}

// TestInspect: every change to a datagram is seen, wherever it is, and so is one
// that comes twice, late or from another session; losses are counted.
func TestInspect(t *testing.T) {
	p := testPart(3)
	at := func(n uint64) []byte {
		b := make([]byte, datagramSize)
		writeDatagram(p.planter, b, firstNumber(3, 5)+n, uint16(n%2))
		return b
	}
	alter := func(b []byte, i int) []byte { b[i] ^= 1; return b }
	other := make([]byte, datagramSize)
	writeDatagram(p.planter, other, firstNumber(3, 6), 0)
	foreign := make([]byte, datagramSize)
	writeDatagram(p.planter, foreign, firstNumber(4, 5), 0)
	for name, c := range map[string]struct {
		datagrams [][]byte
		wrong     bool
		lost      uint64
	}{
		"right":           {[][]byte{at(0), at(1), at(2)}, false, 0},
		"some lost":       {[][]byte{at(0), at(3), at(5)}, false, 3},
		"twice":           {[][]byte{at(0), at(0)}, true, 0},
		"turned round":    {[][]byte{at(1), at(0)}, true, 0},
		"first byte":      {[][]byte{alter(at(0), 0)}, true, 0},
		"number":          {[][]byte{alter(at(0), numberOffset+7)}, true, 0},
		"another filling": {[][]byte{alter(at(0), fillingOffset+1)}, true, 0},
		"first block":     {[][]byte{alter(at(0), bodyOffset)}, true, 0},
		"last byte":       {[][]byte{at(0), alter(at(1), datagramSize-1)}, true, 0},
		"wiped":           {[][]byte{make([]byte, datagramSize)}, true, 0},
		"shortened":       {[][]byte{at(0)[:datagramSize-1]}, true, 0},
		"empty":           {[][]byte{{}}, true, 0},
		"another session": {[][]byte{at(0), other}, true, 0},
		"another group":   {[][]byte{foreign}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			i := newInspector(p)
			var err error
			for _, datagram := range c.datagrams {
				err = errors.Join(err, i.inspect(slices.Clone(datagram)))
			}
			if wrong := errors.Is(err, errContent); wrong != c.wrong || err != nil && !wrong {
				t.Fatalf("%v", err)
			}
			if !c.wrong && i.lost != c.lost {
				t.Errorf("%d lost, want %d", i.lost, c.lost)
			}
		})
	}
}

// TestNumbers: what a scan counts by tells groups and kinds apart, and no two
// sessions share a number.
func TestNumbers(t *testing.T) {
	seen := make(map[uint64]bool)
	for group := 1; group < maxGroups; group++ {
		for _, session := range []int{0, 1, maxSessions - 1} {
			for _, bits := range []uint64{0, tunnelBit, routerBit, tunnelBit | routerBit} {
				number := firstNumber(group, session) | bits
				if seen[flowOf(number)] {
					t.Fatalf("group %d, session %d: its number is another's", group, session)
				}
				seen[flowOf(number)] = true
				if got, inTunnel := groupOf(uint8(number >> topShift)); got != group || inTunnel != (bits&tunnelBit != 0) {
					t.Fatalf("group %d is taken for %d, in a tunnel: %v", group, got, inTunnel)
				}
			}
		}
	}
}
