package drive

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// TestNamed: a part knows the ports of the SDK's sockets for as long as they are
// open, although it has seen them only before they were bound.
func TestNamed(t *testing.T) {
	p := newPart()
	var want []netip.AddrPort
	for range 2 {
		conn, err := udpio.Listen(netip.AddrPortFrom(netip.IPv6Unspecified(), 0), udpio.Config{Control: p.watch})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		want = append(want, netip.AddrPortFrom(loopback(), conn.LocalAddr().Port()))
	}
	closed, err := udpio.Listen(netip.AddrPortFrom(loopback(), 0), udpio.Config{Control: p.watch})
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := p.named()
	if err != nil || !slices.Equal(n.Tunnels, want) {
		t.Errorf("%v, %v instead of %v", n.Tunnels, err, want)
	}
}
