package tunnel_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// promptly is how soon a call returns once its context has ended.
const promptly = time.Second

// TestDialRefused: who refuses, with which code.
func TestDialRefused(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{Admit: func(d tunnel.Device) bool { return d.Grant.Role != auth.RoleOwner }}, nil)
	for name, test := range map[string]struct {
		change func(*tunnel.Router)
		code   string
	}{
		"router offline": {func(r *tunnel.Router) { *r = newWorldRouter(w) }, "router_offline"},
		"no grant":       {func(r *tunnel.Router) { r.Grant = nil }, "grant_invalid"},
		"garbage":        {func(r *tunnel.Router) { r.Grant = []byte("x") }, "grant_invalid"},
		"another's":      {func(r *tunnel.Router) { r.Grant = w.grant(w.router.PublicKey(), time.Hour, "echo") }, "grant_invalid"},
		"expired":        {func(r *tunnel.Router) { r.Grant = w.grant(w.device.PublicKey(), -time.Second, "echo") }, "grant_expired"},
		"revoked":        {func(*tunnel.Router) {}, "grant_revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := w.dialConfig()
			test.change(&cfg.Router)
			_, err := tunnel.Dial(w.context(), cfg)
			wantRefusal(t, err, "relay", test.code)
		})
	}
	if n := w.relay.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions are left at the relay", n)
	}
}

// newWorldRouter is a router of the same relay that does not run, and w's device's grant from it.
func newWorldRouter(w *world) tunnel.Router {
	other := &world{t: w.t, url: w.url, router: newIdentity(w.t), device: w.device}
	return other.dialConfig().Router
}

// TestDialRelay: whom a device does not take for its relay.
func TestDialRelay(t *testing.T) {
	w := newWorld(t)
	cfg := w.dialConfig()
	cfg.Router.Relay.Pin[0] ^= 1
	_, err := tunnel.Dial(w.context(), cfg)
	var mismatch *auth.KeyMismatchError
	if !errors.As(err, &mismatch) || mismatch.Peer != auth.PeerRelay {
		t.Errorf("wrong pin: %v", err)
	}

	cfg.Router.Relay.Pin = auth.RelayPin{}
	_, err = tunnel.Dial(w.context(), cfg)
	var untrusted *tunnel.UntrustedRelayError
	if !errors.As(err, &untrusted) || untrusted.Relay != w.url.Host || !strings.Contains(err.Error(), "lethe-relay url") {
		t.Errorf("no pin: %v", err)
	}

	for _, host := range []string{"127.0.0.1", "127.0.0.1:http", "127.0.0.1:65536", "[::1:443"} {
		cfg.Router.Relay.Host = host
		_, err = tunnel.Dial(w.context(), cfg)
		var unreachable *tunnel.UnreachableError
		if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), "can't reach the relay "+host) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// silence is the address of a socket that never answers.
func silence(t *testing.T) string {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String()
}

// TestDialUnreachable: a relay that does not answer costs seconds, not minutes.
func TestDialUnreachable(t *testing.T) {
	t.Parallel() // it mostly waits
	w := &world{t: t, router: newIdentity(t), device: newIdentity(t), url: auth.RelayURL{Host: silence(t), Pin: auth.RelayPin{1}}}
	began := time.Now()
	_, err := tunnel.Dial(context.Background(), w.dialConfig())
	want := "can't reach the relay " + w.url.Host + ": no answer; check that it runs, that the address is right, and that UDP gets through"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("it took %v", took)
	}
}

// TestDialCancelled ends Dial's context at each step. It returns at once, with the context's error.
func TestDialCancelled(t *testing.T) {
	e := newEvilRelay(t)
	w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
	hang := make(chan struct{})
	defer close(hang)
	for name, test := range map[string]struct {
		host   string // of the relay, if not the evil one
		answer func() wire.Message
	}{
		"relay silent":  {host: silence(t)},
		"router silent": {answer: func() wire.Message { <-hang; return &wire.Error{Code: wire.CodeInternal} }},
		"leg unknown":   {answer: func() wire.Message { return &wire.Opened{Leg: 5, Secret: wire.LegSecret{1}} }},
		"nobody there":  {answer: func() wire.Message { return opened(e.newSession().Device) }},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var ended time.Time
			end := func() { ended = time.Now(); cancel() }
			cfg := w.dialConfig()
			if test.host != "" {
				cfg.Router.Relay.Host = test.host
				time.AfterFunc(50*time.Millisecond, end)
			}
			e.onOpen(func(ed25519.PublicKey, *wire.Open) wire.Message {
				time.AfterFunc(50*time.Millisecond, end)
				return test.answer()
			})
			_, err := tunnel.Dial(ctx, cfg)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
			if late := time.Since(ended); late > promptly {
				t.Errorf("returned after %v", late)
			}
			if ctx.Err() == nil {
				t.Error("returned too early")
			}
		})
	}
}

// TestDialLegNotBound: a data path that nobody answers on has an error of its own.
func TestDialLegNotBound(t *testing.T) {
	t.Parallel() // it mostly waits
	e := newEvilRelay(t)
	e.onOpen(func(ed25519.PublicKey, *wire.Open) wire.Message {
		return &wire.Opened{Leg: 5, Secret: wire.LegSecret{1}}
	})
	w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
	if _, err := tunnel.Dial(w.context(), w.dialConfig()); !errors.Is(err, tunnel.ErrLegNotBound) {
		t.Errorf("got %v, want ErrLegNotBound", err)
	}
}

// TestDialControl: every socket is shown to the app first, and its refusal is the end.
func TestDialControl(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	cfg := w.dialConfig()
	sockets := make(chan string, 10)
	cfg.Control = func(network, _ string, _ syscall.RawConn) error {
		sockets <- network
		return nil
	}
	tun := w.dialWith(cfg)
	w.wantEcho(tun, "x")
	tun.Rebind()
	w.wantEcho(tun, "y")
	if len(sockets) != 3 { // to the relay, the leg, the leg's second
		t.Errorf("%d sockets were shown", len(sockets))
	}
	no := errors.New("not this one")
	cfg.Control = func(string, string, syscall.RawConn) error { return no }
	if _, err := tunnel.Dial(w.context(), cfg); !errors.Is(err, no) {
		t.Errorf("got %v, want the app's error", err)
	}
}

// TestTunnelClose: what the two ends see of it.
func TestTunnelClose(t *testing.T) {
	w := newWorld(t)
	l := w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	tun := w.dial()
	s := w.open(tun, "echo")
	if err := s.Ready(); err != nil || tun.Err() != nil {
		t.Fatal(err, tun.Err())
	}
	tun.Close()
	<-tun.Done()
	_, readErr := s.Read(make([]byte, 1))
	_, writeErr := s.Write([]byte("x"))
	_, openErr := tun.Open(w.context(), "echo")
	for what, err := range map[string]error{"Err": tun.Err(), "Read": readErr, "Write": writeErr, "Open": openErr, "Rebind": tun.Rebind()} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v, want net.ErrClosed", what, err)
		}
	}
	if err := tun.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	eventually(t, "the end of the session", func() bool { return l.Sessions() == 0 && w.relay.Stats().Sessions == 0 })
}

// TestOpenCancelled: Open returns with its context when the tunnel has as many streams as it may.
func TestOpenCancelled(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	tun := w.dial()
	for range 256 {
		w.open(tun, "echo")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := tun.Open(ctx, "echo"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
}
