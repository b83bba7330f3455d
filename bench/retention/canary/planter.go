package canary

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// BlockSize is the size of a canary block in bytes.
const BlockSize = 16

// Key is the secret of one run, from which its canaries are made.
type Key [32]byte

// NewKey returns a random key.
func NewKey() Key {
	var k Key
	rand.Read(k[:]) // never fails
	return k
}

// cipherAndTag derives what blocks are made of.
func (k Key) cipherAndTag() (cipher.Block, uint64) {
	sum := sha256.Sum256(k[:])
	block, err := aes.NewCipher(sum[:16])
	if err != nil {
		panic(err) // 16 bytes are a key
	}
	return block, binary.BigEndian.Uint64(sum[16:24])
}

// Planter makes canary blocks. It may be used by several goroutines.
type Planter struct {
	cipher cipher.Block
	tag    uint64
}

// NewPlanter returns a Planter of blocks that only finders of this key recognise.
func NewPlanter(k Key) *Planter {
	c, tag := k.cipherAndTag()
	return &Planter{c, tag}
}

// Fill fills buf with the blocks that are numbered from first upwards, which don't
// pass 2⁶⁴-1. It panics if buf isn't a whole number of blocks.
func (p *Planter) Fill(buf []byte, first uint64) {
	if len(buf)%BlockSize != 0 {
		panic("canary: Fill of a part of a block")
	}
	var iv [BlockSize]byte
	binary.BigEndian.PutUint64(iv[:], p.tag)
	binary.BigEndian.PutUint64(iv[8:], first)
	clear(buf) // what is encrypted in counter mode is the counter: five times as fast as block by block
	cipher.NewCTR(p.cipher, iv[:]).XORKeyStream(buf, buf)
}

// Number tells the number of a block, and whether it is one of this key's.
// block has at least BlockSize bytes; what follows them is ignored.
func (p *Planter) Number(block []byte) (number uint64, ok bool) {
	var plain [BlockSize]byte
	p.cipher.Decrypt(plain[:], block)
	return binary.BigEndian.Uint64(plain[8:]), binary.BigEndian.Uint64(plain[:8]) == p.tag
}

// Check verifies a datagram of consecutive blocks and returns the number of its
// first. The error says which block is wrong.
func (p *Planter) Check(datagram []byte) (first uint64, err error) {
	if len(datagram) == 0 || len(datagram)%BlockSize != 0 {
		return 0, fmt.Errorf("a datagram of %d bytes arrived, which is no whole number of blocks", len(datagram))
	}
	first, _ = p.Number(datagram)
	for i := 0; i < len(datagram); i += BlockSize {
		want := first + uint64(i/BlockSize)
		if got, ok := p.Number(datagram[i:]); !ok || got != want {
			return first, fmt.Errorf("block %d of a datagram of %d is not what was sent", i/BlockSize, len(datagram)/BlockSize)
		}
	}
	return first, nil
}
