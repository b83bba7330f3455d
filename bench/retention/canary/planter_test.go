package canary

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func filled(k Key, blocks int, first uint64) []byte {
	b := make([]byte, blocks*BlockSize)
	NewPlanter(k).Fill(b, first)
	return b
}

func TestBlocksOfOneKey(t *testing.T) {
	mine, other := NewPlanter(NewKey()), NewPlanter(NewKey())
	b := make([]byte, 3*BlockSize)
	mine.Fill(b, 1<<63)
	for i := range 3 {
		if n, ok := mine.Number(b[i*BlockSize:]); !ok || n != 1<<63+uint64(i) {
			t.Errorf("block %d has number %d, %v", i, n, ok)
		}
		if _, ok := other.Number(b[i*BlockSize:]); ok {
			t.Error("another key takes the block for its own")
		}
	}
	if bytes.Equal(b[:BlockSize], b[BlockSize:2*BlockSize]) {
		t.Error("two blocks are equal")
	}
}

func TestCheck(t *testing.T) {
	k := NewKey()
	p, datagram := NewPlanter(k), filled(k, 5, 7)
	if first, err := p.Check(datagram); err != nil || first != 7 {
		t.Errorf("a good datagram: %d, %v", first, err)
	}
	swapped := append(filled(k, 1, 8), filled(k, 1, 7)...)
	for name, bad := range map[string][]byte{
		"nothing": nil, "cut": datagram[:20], "wiped": make([]byte, 32), "swapped": swapped,
	} {
		if _, err := p.Check(bad); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	datagram[len(datagram)-1] ^= 1
	if _, err := p.Check(datagram); err == nil || !strings.Contains(err.Error(), "block 4 of a datagram of 5") {
		t.Errorf("one wrong bit in the last block: %v", err)
	}
}

// TestChecker: however a stream is cut, it is verified to its end, and a wrong byte is
// noticed in the block where it is.
func TestChecker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := NewKey()
		first := rapid.Uint64Max(1<<62).Draw(t, "first")
		stream := filled(k, rapid.IntRange(1, 600).Draw(t, "blocks"), first)
		wrong := rapid.IntRange(-1, len(stream)-1).Draw(t, "wrong")
		if wrong >= 0 {
			stream[wrong] ^= 0x10
		}
		c := NewChecker(k, first)
		for rest := stream; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			c.Write(rest[:n])
			rest = rest[n:]
		}
		right := len(stream)
		if wrong >= 0 {
			right = wrong
		}
		if c.Right() != uint64(right) || (c.Err() == nil) != (wrong < 0) {
			t.Fatalf("byte %d of %d is wrong: %d bytes are right, %v", wrong, len(stream), c.Right(), c.Err())
		}
	})
}

func TestCheckerTellsRepeated(t *testing.T) {
	k := NewKey()
	c := NewChecker(k, 0)
	c.Write(filled(k, 2, 0))
	if _, err := c.Write(filled(k, 1, 1)); err == nil || !strings.Contains(err.Error(), "byte 32 of the stream, in block 2,") {
		t.Errorf("a repeated block: %v", err)
	}
}
