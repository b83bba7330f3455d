package tunnel_test

import (
	"io"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/netsim"
	"github.com/lethe-relay/lethe/tunnel"
)

const (
	transfer = 12 << 20 // bytes, more than all windows together
	quarter  = transfer / 4
)

// transfers are services that move content one way.
func transfers() handlers {
	return handlers{
		"echo": echo,
		"down": func(s *tunnel.Stream) {
			io.Copy(s, content(transfer))
			s.Close()
		},
		"up": func(s *tunnel.Stream) {
			digest, _, _ := sum(s)
			s.Write(digest[:])
			s.Close()
		},
	}
}

// whileMoving moves content down and up, and calls move after each quarter of it.
func whileMoving(w *world, tun *tunnel.Tunnel, move func()) {
	w.t.Helper()
	down := w.open(tun, "down")
	down.SetReadDeadline(time.Now().Add(3 * patience))
	wantContent(w.t, &interrupted{Reader: down, then: move}, transfer)

	up := w.open(tun, "up")
	up.SetDeadline(time.Now().Add(3 * patience))
	if n, err := io.Copy(struct{ io.Writer }{up}, &interrupted{Reader: content(transfer), then: move}); err != nil {
		w.t.Fatalf("up: %d bytes, %v", n, err)
	}
	up.CloseWrite()
	want, _, _ := sum(content(transfer))
	if got, err := io.ReadAll(up); err != nil || string(got) != string(want[:]) {
		w.t.Errorf("up: %x, %v; want %x", got, err, want)
	}
}

// interrupted calls then after the first, second and third quarter.
type interrupted struct {
	io.Reader
	then func()
	read int
}

func (r *interrupted) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if r.read%quarter+n >= quarter && r.read+n < transfer {
		r.then()
	}
	r.read += n
	return n, err
}

// TestRebind moves a living tunnel to new sockets under transfers.
func TestRebind(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, transfers())
	tun := w.dial()
	moves := 0
	whileMoving(w, tun, func() {
		before := tun.LocalAddr()
		if err := tun.Rebind(); err != nil {
			t.Error(err)
		}
		if moves++; tun.LocalAddr() == before {
			t.Errorf("still at %v", before)
		}
	})
	if moves != 6 {
		t.Errorf("%d moves, want 6", moves)
	}
}

// TestNATRebind gives the device's NAT new ports under transfers. Nobody tells the tunnel: the device finds out by
// the silence, long before a keep-alive, whichever way the bytes go.
func TestNATRebind(t *testing.T) {
	t.Parallel() // it mostly waits for silence to be noticed
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, transfers())
	nat, err := netsim.NewProxy(loopback4, w.relay.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer nat.Close()
	cfg := w.dialConfig()
	cfg.Router.Relay.Host = nat.Addr().String()
	tun := w.dialWith(cfg)
	defer tun.Close()
	began, moves := time.Now(), 0
	whileMoving(w, tun, func() {
		if moves++; moves%3 != 1 {
			return // once each way is enough
		}
		if err := nat.Rebind(); err != nil {
			t.Error(err)
		}
	})
	const each = 3 * time.Second // a second to notice, and as much for QUIC's own timers
	if took := time.Since(began); moves != 6 || took > 2*each {
		t.Errorf("%v for %d moves, want at most %v", took, moves, 2*each)
	}
}
