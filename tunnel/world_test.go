package tunnel_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/relay"
	"github.com/lethe-relay/lethe/tunnel"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

var loopback4 = netip.MustParseAddrPort("127.0.0.1:0")

// A world is a relay, a router and a device, in one process, on loopback.
type world struct {
	t      testing.TB
	relay  *relay.Relay
	url    auth.RelayURL // what the router registers with
	router *auth.Identity
	device *auth.Identity
}

// newWorld starts a relay. Router and device have keys, and do nothing yet.
func newWorld(t testing.TB) *world { return newWorldOn(t, loopback4) }

func newWorldOn(t testing.TB, listen netip.AddrPort) *world {
	t.Helper()
	r, _ := startRelay(t, initRelay(t, listen))
	return &world{t: t, relay: r, url: r.URL(), router: newIdentity(t), device: newIdentity(t)}
}

func initRelay(t testing.TB, listen netip.AddrPort) (configPath string) {
	t.Helper()
	path, err := relay.Init(filepath.Join(t.TempDir(), "relay"), listen, "")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startRelay runs the relay of a configuration until stop, or the test's end.
func startRelay(t testing.TB, configPath string) (r *relay.Relay, stop func()) {
	t.Helper()
	cfg, err := relay.LoadConfig(configPath)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Lockdown = lockdown.Off // the test shares its process
	if r, err = relay.New(cfg, "test", nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, nil) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("relay: %v", err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

func newIdentity(t testing.TB) *auth.Identity {
	t.Helper()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// handlers say what the router does with streams, by service.
type handlers map[string]func(*tunnel.Stream)

// listen registers the router and serves its streams until the test's end.
func (w *world) listen(cfg tunnel.ListenConfig, h handlers) *tunnel.Listener {
	w.t.Helper()
	cfg.Identity, cfg.Relay = w.router, w.url
	l, err := tunnel.Listen(w.context(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.serve(l, h)
	return l
}

func (w *world) serve(l *tunnel.Listener, h handlers) {
	var streams sync.WaitGroup
	streams.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s := conn.(*tunnel.Stream)
			streams.Go(func() {
				if handle := h[s.Service()]; handle != nil {
					handle(s)
					return
				}
				s.Refuse("unknown_service")
			})
		}
	})
	w.t.Cleanup(func() {
		l.Close()
		streams.Wait()
	})
}

// context ends when the test has waited for too long.
func (w *world) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	w.t.Cleanup(cancel)
	return ctx
}

// grant makes the router's grant for a device.
func (w *world) grant(device ed25519.PublicKey, validity time.Duration, services ...string) []byte {
	w.t.Helper()
	now := time.Now()
	raw, err := auth.Issue(w.router, auth.Grant{
		Device: device, Role: auth.RoleOwner, Services: services,
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(validity), Serial: 1,
	}, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return raw
}

// dialConfig is the device's, with a grant for everything.
func (w *world) dialConfig() tunnel.DialConfig {
	url := w.url
	url.Token = auth.Token{}
	return tunnel.DialConfig{Identity: w.device, Router: tunnel.Router{
		Relay: url, ID: w.router.RouterID(), Grant: w.grant(w.device.PublicKey(), time.Hour, auth.AllServices),
	}}
}

// dial opens a tunnel that is closed at the test's end.
func (w *world) dial() *tunnel.Tunnel {
	w.t.Helper()
	return w.dialWith(w.dialConfig())
}

func (w *world) dialWith(cfg tunnel.DialConfig) *tunnel.Tunnel {
	w.t.Helper()
	t, err := tunnel.Dial(w.context(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { t.Close() })
	return t
}

// open opens a stream that is closed at the test's end.
func (w *world) open(t *tunnel.Tunnel, service string) *tunnel.Stream {
	w.t.Helper()
	s, err := t.Open(w.context(), service)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	return s
}

// wantEcho checks that the tunnel carries bytes there and back.
func (w *world) wantEcho(t *tunnel.Tunnel, text string) {
	w.t.Helper()
	s := w.open(t, "echo")
	if _, err := io.WriteString(s, text); err != nil {
		w.t.Fatal(err)
	}
	if err := s.CloseWrite(); err != nil {
		w.t.Fatal(err)
	}
	s.SetDeadline(time.Now().Add(patience))
	if got, err := io.ReadAll(s); err != nil || string(got) != text {
		w.t.Fatalf("echo: %q, %v; want %q", got, err, text)
	}
}

// echo sends back what comes.
func echo(s *tunnel.Stream) {
	io.Copy(s, s)
	s.Close()
}

// content is so many bytes that look random and are the same each time.
func content(bytes int64) io.Reader {
	return io.LimitReader(mathrand.NewChaCha8([32]byte{}), bytes)
}

// sum reads all of r.
func sum(r io.Reader) (digest [sha256.Size]byte, n int64, err error) {
	h := sha256.New()
	n, err = io.Copy(h, r)
	return [sha256.Size]byte(h.Sum(nil)), n, err
}

// wantContent reads to the end and compares.
func wantContent(t testing.TB, r io.Reader, bytes int64) {
	t.Helper()
	got, n, err := sum(r)
	want, _, _ := sum(content(bytes))
	if err != nil || n != bytes || got != want {
		t.Errorf("%d bytes, %v, intact: %t; want %d", n, err, got == want, bytes)
	}
}

// eventually asks again and again until it is true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// logbook is a log that tests can read.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// wantRefusal checks code and sentence of a refusal.
func wantRefusal(t testing.TB, err error, by, code string) {
	t.Helper()
	var refused *tunnel.RefusedError
	if !errors.As(err, &refused) || refused.By != by || refused.Code != code || !strings.Contains(err.Error(), code) {
		t.Errorf("got %v, want a refusal by the %s: %s", err, by, code)
	}
}
