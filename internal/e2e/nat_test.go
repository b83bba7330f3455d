//go:build linux

package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"
)

// TestNAT goes through real NAT at both ends, and sees the NATs change their
// minds while a download runs.
func TestNAT(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 3*time.Minute)
	n := newNetwork(t, ctx)
	w := serveWeb(t, ctx, "127.0.0.1:8000", n.in("router")...)
	h := startRelay(t, ctx, n.home())
	h.startAgent(ctx, "http=tcp:"+w.addr)
	digest := sha256.New()
	w.put("large", natDownload, 2, digest)
	want := hex.EncodeToString(digest.Sum(nil))

	h.pair(ctx)
	_, addrs := h.forward(ctx, "http")
	url := "http://" + addrs["http"] + "/large"
	t.Run("both behind NAT", func(t *testing.T) {
		interrupted(t, deadline(t, time.Minute), h, url, want, func() {})
	})
	t.Run("IPv6-only phone to IPv4-only router", func(t *testing.T) {
		ctx := deadline(t, time.Minute)
		six := *h
		six.t, six.device, six.places.phone = t, "phone6", n.in("phone6")
		six.pair(ctx)
		_, addrs := six.forward(ctx, "http")
		interrupted(t, ctx, &six, "http://"+addrs["http"]+"/large", want, func() {})
	})
	t.Run("phone's NAT gets another address", func(t *testing.T) {
		interrupted(t, deadline(t, time.Minute), h, url, want, func() {
			n.ip(ctx, "nat-phone", "addr", "del", "198.51.100.2/24", "dev", "wan") // and its mappings with it
			n.ip(ctx, "nat-phone", "addr", "add", "198.51.100.3/24", "dev", "wan")
			n.ip(ctx, "nat-phone", "route", "replace", "default", "via", "198.51.100.1")
		})
	})
	t.Run("router's NAT forgets its mappings", func(t *testing.T) {
		interrupted(t, deadline(t, time.Minute), h, url, want, func() {
			n.ip(ctx, "nat-router", "link", "set", "wan", "down") // masquerade drops what went this way
			n.ip(ctx, "nat-router", "link", "set", "wan", "up")
			n.ip(ctx, "nat-router", "route", "replace", "default", "via", "203.0.113.1")
		})
	})
	t.Run("new tunnel after all that", func(t *testing.T) {
		ctx := deadline(t, time.Minute)
		until(t, ctx, "the router is reached again", func() bool {
			return h.lethe(ctx, h.device, "status", "home").code == 0
		})
	})
}

// natDownload is more than all buffers on the way hold when a quarter of it
// has been read.
const natDownload = 64 << 20

// interrupted downloads a file, and does something to the network when a
// quarter of it is there.
func interrupted(t *testing.T, ctx context.Context, h *home, url, want string, change func()) {
	t.Helper()
	began := time.Now()
	d := newDownload(t, ctx, url, h.places.phone...)
	d.some(natDownload / 4)
	change()
	d.rest()
	if d.size != natDownload || d.sum() != want {
		t.Errorf("%d bytes arrived, want %d with the same SHA-256", d.size, natDownload)
	}
	t.Logf("took %v", time.Since(began).Round(time.Millisecond))
}

// home is a home whose programs run where they belong.
func (n *network) home() places {
	return places{
		relay: n.in("relay"), router: n.in("router"), phone: n.in("phone"),
		listen: "[::]:443", public: "relay.test:443",
	}
}
