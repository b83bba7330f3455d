package flows

import (
	"fmt"
	"testing"
)

// BenchmarkDirect is what a datagram costs the source and the sink, together.
func BenchmarkDirect(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("flows=%d", n), func(b *testing.B) {
			source, sink := open(b), open(b)
			l, err := NewLoad(source, sink, LoadConfig{Flows: straight(sink, n), Window: 512})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(PayloadSize)
			l.Start()
			defer l.Close()
			for {
				c, err := l.Count()
				if err != nil {
					b.Fatal(err)
				}
				if c.Received >= uint64(b.N) {
					return
				}
			}
		})
	}
}
