package tunnel_test

import (
	"io"
	"testing"

	"github.com/lethe-relay/lethe/tunnel"
)

// BenchmarkPing is the time that a few bytes take to the router and back, when nothing else is under way: relay and
// both ends in one process.
func BenchmarkPing(b *testing.B) {
	w := newWorld(b)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	s := w.open(w.dial(), "echo")
	ping := make([]byte, 64)
	for b.Loop() {
		if _, err := s.Write(ping); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(s, ping); err != nil {
			b.Fatal(err)
		}
	}
}
