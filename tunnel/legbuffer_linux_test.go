package tunnel

import (
	"net/netip"
	"testing"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// TestBuffers: a leg knows when it has been given less than it has asked for.
func TestBuffers(t *testing.T) {
	const little = 64 << 10
	conn, err := udpio.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpio.Config{BufferBytes: little})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	l := &leg{}
	l.socket.Store(&legSocket{conn: conn})
	if asked, receive, send := l.buffers(); asked < leastBuffer || receive < 1 || receive >= leastBuffer || send < 1 || send >= leastBuffer {
		t.Errorf("asked for %d, given %d and %d", asked, receive, send)
	}
}
