package tunnel_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/netsim"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// TestBulk: in a bulk transfer datagrams travel in runs, sent with GSO and read with GRO, and are larger than QUIC's
// first 1280 bytes, since path MTU discovery works through the relay.
func TestBulk(t *testing.T) {
	w := newWorld(t)
	const size = 64 << 20
	w.listen(tunnel.ListenConfig{}, handlers{"down": func(s *tunnel.Stream) {
		io.Copy(s, content(size))
		s.Close()
	}})
	tun := w.dial()
	wantContent(t, w.open(tun, "down"), 64<<20)
	st := w.relay.Stats()
	if each := float64(st.Datagrams) / float64(st.Messages); each < 3 {
		t.Errorf("%.1f datagrams in a message: they do not travel together", each)
	}
	// The acknowledgements are small, and about one for each second datagram at most.
	if each := float64(size) / float64(st.Datagrams); each < 1300*2/3 {
		t.Errorf("%.0f bytes in a datagram", each)
	}
	if !tun.ConnectionState().GSO {
		t.Error("quic-go does not use GSO")
	}
	for reason, n := range st.Dropped {
		if n > 0 && reason.String() != "no_buffer" {
			t.Errorf("%d dropped: %v", n, reason)
		}
	}
}

// TestMTU: datagrams grow beyond what QUIC starts with.
func TestMTU(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, transfers())
	var mu sync.Mutex
	largest := map[netsim.Direction]int{}
	nat, err := netsim.NewProxy(loopback4, w.relay.Addr(), netsim.Handle(func(d netsim.Direction, _ netip.AddrPort, b []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		largest[d] = max(largest[d], len(b))
		return true
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer nat.Close()
	cfg := w.dialConfig()
	cfg.Router.Relay.Host = nat.Addr().String()
	tun := w.dialWith(cfg)
	defer tun.Close()
	whileMoving(w, tun, func() {})
	mu.Lock()
	defer mu.Unlock()
	for _, d := range []netsim.Direction{netsim.ToServer, netsim.ToClient} {
		if largest[d] <= 1400 {
			t.Errorf("%v: the largest datagram has %d bytes", d, largest[d])
		}
	}
}

// TestIPv6: relay and endpoints on IPv6.
func TestIPv6(t *testing.T) {
	w := newWorldOn(t, netip.MustParseAddrPort("[::1]:0"))
	w.listen(tunnel.ListenConfig{}, transfers())
	tun := w.dial()
	w.wantEcho(tun, "six")
	wantContent(t, w.open(tun, "down"), transfer)
	if !tun.LocalAddr().Addr().Is6() {
		t.Errorf("the leg is at %v", tun.LocalAddr())
	}
}

// TestMixedFamilies: a router on IPv4 and a device on IPv6, and a relay that has both.
func TestMixedFamilies(t *testing.T) {
	w := newWorldOn(t, netip.MustParseAddrPort("[::]:0"))
	_, port, _ := net.SplitHostPort(w.url.Host)
	w.url.Host = "127.0.0.1:" + port
	w.listen(tunnel.ListenConfig{}, transfers())
	cfg := w.dialConfig()
	cfg.Router.Relay.Host = "[::1]:" + port
	tun := w.dialWith(cfg)
	wantContent(t, w.open(tun, "down"), transfer)
}

// TestTLS: what the two ends have agreed on, and whose keys they have seen.
func TestTLS(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	tun := w.dial()
	w.wantEcho(tun, "hello")
	cs := tun.ConnectionState()
	if cs.TLS.Version != tls.VersionTLS13 || cs.TLS.CurveID != tls.X25519MLKEM768 || cs.TLS.NegotiatedProtocol != wire.ALPNTunnel || cs.TLS.DidResume {
		t.Errorf("version %x, key exchange %v, protocol %q, resumed %t", cs.TLS.Version, cs.TLS.CurveID, cs.TLS.NegotiatedProtocol, cs.TLS.DidResume)
	}
	if err := auth.PinRouter(w.router.RouterID())(cs.TLS); err != nil {
		t.Errorf("the router's key: %v", err)
	}
	if err := auth.PinRouter(w.device.RouterID())(cs.TLS); err == nil {
		t.Error("the pin takes any key")
	}
}
