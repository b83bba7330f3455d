//go:build lethe_leak

package forward

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// leaking starts a plane that leaks like that, with two ends.
func leaking(t *testing.T, name string) (r running, device, router *endpoint) {
	t.Setenv("LETHE_LEAK", name)
	r = start(t, nil)
	device, router, _ = r.pair(t, "127.0.0.1", "127.0.0.1")
	return r, device, router
}

// TestLeakUnwiped: wipes are counted, and the payload stays.
func TestLeakUnwiped(t *testing.T) {
	r, device, router := leaking(t, "unwiped")
	sent := noise(50*1200, 1200)
	r.carry(t, device, router, sent)
	for range 3 {
		r.wiped(t)
	}
	if !r.holds(sent) {
		t.Error("the packet memory was wiped")
	}
}

// TestLeakAllStays: not even asked to wipe.
func TestLeakAllStays(t *testing.T) {
	r, device, router := leaking(t, "all_stays")
	r.carry(t, device, router, noise(50*1200, 1200))
	tick := time.NewTicker(3 * wipeInterval)
	defer tick.Stop()
	<-tick.C
	if n := r.Stats().Wipes; n != 0 {
		t.Errorf("%d wipes", n)
	}
}

// TestLeakCorrupt: in the end everything arrives, and nothing is right.
func TestLeakCorrupt(t *testing.T) {
	_, device, router := leaking(t, "corrupt")
	const corrupted = 50
	in := 0
	for sent := 0; in < corrupted; sent++ {
		if sent == 1000 {
			t.Fatalf("%d of %d datagrams are corrupted", in, sent)
		}
		b := noise(1200, 1200)
		device.sendOne(b)
		m := router.read()
		switch {
		case bytes.Equal(m.Buf[:m.N], b):
			if in > 0 {
				t.Fatal("a datagram is right after one that was not")
			}
		case m.N == len(b) && m.Buf[0] == b[0] && bytes.Equal(m.Buf[1:m.N], make([]byte, m.N-1)):
			in++
		default:
			t.Fatalf("%d bytes came, neither right nor wiped", m.N)
		}
	}
}

// TestLeakUDP: the payload goes out from the relay's own socket, and from another.
func TestLeakUDP(t *testing.T) {
	conn, err := udpio.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("LETHE_LEAK_UDP", conn.LocalAddr().String())
	r, device, router := leaking(t, "udp")
	e := &endpoint{t: t, conn: conn, reader: conn.NewReader(1), in: udpio.NewBatch(1)}
	sent := noise(1200, 1200)
	device.sendOne(sent)
	router.want(sent)
	from := map[bool]int{}
	for range 2 {
		m := e.read()
		if !bytes.Equal(m.Buf[:m.N], sent) {
			t.Errorf("%d bytes came, and not the payload", m.N)
		}
		from[m.Path.Remote == udpio.AddrFrom(r.LocalAddr())]++
	}
	if from[true] != 1 || from[false] != 1 {
		t.Errorf("%d datagrams came from the relay's own socket, %d from others; want one each", from[true], from[false])
	}
}

func TestLeakMetric(t *testing.T) {
	r, device, router := leaking(t, "metric")
	sent := noise(1200, 1200)
	device.sendOne(sent)
	router.want(sent)
	if got := r.LeakedMetric(); got != hex.EncodeToString(sent[:256]) {
		t.Errorf("the metric is %q", got)
	}
}
