package canary

import (
	"bytes"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	zeroPage  = 4096    // bytes that are looked at together for being zeros
	partSize  = 1 << 20 // bytes that one processor takes at a time
	sieveBits = 14      // a sieve has at least 2 to the power of so many bits
)

// inParallel shares out b and returns what was found in its parts, in their order.
func (f *Finder) inParallel(b []byte) []Found {
	parts := make([]Found, (len(b)+partSize-1)/partSize)
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < len(parts); i = int(next.Add(1)) - 1 {
			parts[i] = f.scanPart(b, i*partSize, min((i+1)*partSize, len(b)))
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(parts)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	return parts
}

func isZero(b []byte) bool {
	return bytes.Equal(b[:len(b)-1], b[1:]) && b[0] == 0
}

// sieve tells quickly of most numbers that they are not among those added.
type sieve struct {
	bits  []uint64
	shift uint
}

func newSieve(n int) *sieve {
	log := uint(sieveBits)
	for ; 1<<log < 64*n && log < 22; log++ { // one in 64 passes by chance; 512 KB at most, for the cache
	}
	return &sieve{bits: make([]uint64, 1<<(log-6)), shift: 64 - log}
}

// place spreads x over the bits (Fibonacci hashing).
func (s *sieve) place(x uint64) (word, bit uint64) {
	h := x * 0x9e3779b97f4a7c15 >> s.shift
	return h / 64, h % 64
}

func (s *sieve) add(x uint64) {
	word, bit := s.place(x)
	s.bits[word] |= 1 << bit
}

func (s *sieve) has(x uint64) bool {
	word, bit := s.place(x)
	return s.bits[word]>>bit&1 == 1
}
