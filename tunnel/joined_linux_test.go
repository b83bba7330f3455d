package tunnel_test

import (
	"io"
	"testing"

	"github.com/lethe-relay/lethe/tunnel"
)

// TestJoined: quic-go makes runs as the outbox expects them. When an upgrade changes their size, this fails.
func TestJoined(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, transfers())
	tun := w.dial()
	if o := tun.Offload(); !o.GSO {
		t.Skipf("needs a kernel with GSO: %+v", o)
	}
	up := w.open(tun, "up")
	if _, err := io.Copy(up, content(16<<20)); err != nil {
		t.Fatal(err)
	}
	if !tun.Joined() {
		t.Error("of 16 MiB not one full run was held")
	}
}
