package canary

import (
	"bytes"
	"fmt"
)

// Checker verifies a stream of blocks with rising numbers, however it is cut.
// It is an [io.Writer], for one goroutine.
type Checker struct {
	planter *Planter
	next    uint64     // number of the first block after ahead
	ahead   []byte     // what comes next, as far as it has been made
	made    [4096]byte // where ahead lies
	right   uint64
	err     error
}

// NewChecker returns a Checker of a stream that begins with block number first.
func NewChecker(k Key, first uint64) *Checker {
	return &Checker{planter: NewPlanter(k), next: first}
}

// Write takes the next bytes of the stream. From the first wrong byte on it
// returns an error that says in which block it is.
func (c *Checker) Write(b []byte) (int, error) {
	n := 0
	for n < len(b) && c.err == nil {
		if len(c.ahead) == 0 {
			c.planter.Fill(c.made[:], c.next)
			c.ahead, c.next = c.made[:], c.next+uint64(len(c.made)/BlockSize)
		}
		piece := b[n:min(len(b), n+len(c.ahead))]
		if !bytes.Equal(piece, c.ahead[:len(piece)]) {
			piece = c.wrong(piece)
		}
		c.ahead, c.right, n = c.ahead[len(piece):], c.right+uint64(len(piece)), n+len(piece)
	}
	return n, c.err
}

// wrong sets the error and returns what of piece is still right.
func (c *Checker) wrong(piece []byte) []byte {
	same := 0
	for piece[same] == c.ahead[same] {
		same++
	}
	at := c.right + uint64(same)
	c.err = fmt.Errorf("byte %d of the stream, in block %d, is not what was sent", at, at/BlockSize)
	return piece[:same]
}

// Right is the number of bytes verified.
func (c *Checker) Right() uint64 { return c.right }

// Err is what was wrong with the stream; nil if nothing was.
func (c *Checker) Err() error { return c.err }
