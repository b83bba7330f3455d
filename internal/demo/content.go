package demo

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
)

const (
	recordBytes = 1 << 10  // so small that no datagram but the smallest has nothing of the secret
	chunkBytes  = 64 << 10 // as much as one GRO batch holds
)

// content is what is moved: records of 1 KiB, each with its number and the
// secret. It is the same for the same secret.
type content struct {
	left   int64  // bytes to come
	record uint64 // number of the next chunk's first record
	chunk  []byte
	rest   []byte // of chunk
}

func newContent(secret string, size int64) *content {
	c := &content{left: size, chunk: make([]byte, chunkBytes)}
	rand.NewChaCha8(sha256.Sum256([]byte(secret))).Read(c.chunk)
	for at := 0; at < chunkBytes; at += recordBytes {
		copy(c.chunk[at+8:], secret)
	}
	return c
}

// Read implements [io.Reader].
func (c *content) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if len(c.rest) == 0 {
		c.number()
	}
	n := copy(b, c.rest[:min(int64(len(c.rest)), c.left)])
	c.rest = c.rest[n:]
	c.left -= int64(n)
	return n, nil
}

// number makes the chunk the next one, so that content that comes in another
// order has another checksum.
func (c *content) number() {
	for at := 0; at < chunkBytes; at += recordBytes {
		binary.BigEndian.PutUint64(c.chunk[at:], c.record)
		c.record++
	}
	c.rest = c.chunk
}

// digestOf reads r to its end and returns the value of the header
// Content-Digest for it, and its length.
func digestOf(r io.Reader) (digest string, n int64, err error) {
	h := sha256.New()
	n, err = io.CopyBuffer(h, r, make([]byte, chunkBytes))
	return contentDigest(h), n, err
}

// contentDigest is RFC 9530, section 2.
func contentDigest(h hash.Hash) string {
	return fmt.Sprintf("sha-256=:%s:", base64.StdEncoding.EncodeToString(h.Sum(nil)))
}
