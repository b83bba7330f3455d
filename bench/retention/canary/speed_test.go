package canary

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkScan tells how fast memory is looked through: random bytes are the
// worst there is, zeros the best.
func BenchmarkScan(b *testing.B) {
	windows := make([]Window, 50_000)
	random := rand.NewChaCha8([32]byte{1})
	for i := range windows {
		random.Read(windows[i][:])
	}
	f := NewFinder(Sought{Key: NewKey(), Windows: windows})
	memory := make([]byte, 64<<20)
	measure := func(name string) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(memory)))
			for b.Loop() {
				if f.Scan(memory).Any() {
					b.Fatal("found what is not there")
				}
			}
		})
	}
	measure("zeros")
	random.Read(memory[:len(memory)/10])
	measure("a tenth random")
	random.Read(memory)
	measure("random")
}
