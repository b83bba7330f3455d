package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/relaytest"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// home is a relay and a running agent, and what a test makes of them.
type home struct {
	t    *testing.T
	cfg  *Config
	stop func() // stops the agent

	agent *Agent // the running one
}

// newHome starts a relay and, in dir, an agent with these services.
func newHome(t *testing.T, dir, services string) *home {
	t.Helper()
	url := relaytest.Start(t, nil)
	path, err := Init(dir, url)
	if err != nil {
		t.Fatal(err)
	}
	text := "relay: " + url.String() + "\nname: My Home\nleases_file: " + filepath.Join(dir, "leases") + "\n" + services
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &home{t: t}
	if h.cfg, err = LoadConfig(path); err != nil {
		t.Fatal(err)
	}
	h.start()
	return h
}

// start runs the agent and waits until it is registered.
func (h *home) start() {
	h.t.Helper()
	a, err := New(h.cfg, "v0.0.0-test", slog.New(slog.DiscardHandler))
	if err != nil {
		h.t.Fatal(err)
	}
	h.agent = a
	ctx, cancel := context.WithCancel(context.Background())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- a.Run(ctx, func() { close(ready) }) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("agent: %v", err)
		}
	})
	h.t.Cleanup(h.stop)
	select {
	case <-ready:
	case <-time.After(patience):
		h.t.Fatal("the agent is not ready")
	}
}

func (h *home) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	h.t.Cleanup(cancel)
	return ctx
}

// uri asks the running agent for a pairing URI.
func (h *home) uri() (uri auth.PairingURI) {
	h.t.Helper()
	err := h.cfg.Pair(h.context(), false, func(e PairingEvent) (err error) {
		if left := time.Until(*e.Expires); left > auth.PairingLifetime || left < auth.PairingLifetime-time.Minute {
			h.t.Errorf("the URI is good for %v", left)
		}
		uri, err = auth.ParsePairingURI(e.URI)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return uri
}

// pair pairs a new device, and returns its store and a link to the router.
func (h *home) pair() (*device.Store, *device.Link) {
	h.t.Helper()
	store := newStore(h.t)
	router, err := store.Pair(h.context(), h.uri(), "", "a phone")
	if err != nil {
		h.t.Fatal(err)
	}
	link := store.Link(router)
	h.t.Cleanup(func() { link.Close() })
	return store, link
}

func newStore(t *testing.T) *device.Store {
	t.Helper()
	store, err := device.Open(filepath.Join(t.TempDir(), "device"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// get reads all that a service says.
func (h *home) get(link *device.Link, service string) (string, error) {
	h.t.Helper()
	s, err := link.Open(h.context(), service)
	if err != nil {
		return "", err
	}
	defer s.Close()
	s.SetDeadline(time.Now().Add(patience))
	s.CloseWrite()
	text, err := io.ReadAll(s)
	return string(text), err
}

// target is a TCP server that says hello and ends.
func target(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "hello")
			conn.Close()
		}
	}()
	return "tcp:" + l.Addr().String()
}

// TestServices: a device that has paired reaches what the agent offers, and is told what it does not.
func TestServices(t *testing.T) {
	h := newHome(t, t.TempDir(), `services: [{name: http, target: "`+target(t)+`"}, {name: down, target: "unix:/nothing/here"}]`)
	_, link := h.pair()
	if text, err := h.get(link, "http"); err != nil || text != "hello" {
		t.Errorf("%q, %v", text, err)
	}
	for name, code := range map[string]string{"down": "service_down", "none": "unknown_service"} {
		if _, err := h.get(link, name); !errors.Is(err, &tunnel.RefusedError{By: "router", Code: code}) {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
	}
	text, err := h.get(link, service.NameStatus)
	var status service.Status
	if err != nil || json.Unmarshal([]byte(text), &status) != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if strings.Join(status.Services, " ") != "http down" || status.AgentVersion != "v0.0.0-test" || time.Since(status.Time) > patience {
		t.Errorf("status: %+v", status)
	}
}

// TestUnpair: the device is off the list, its other tunnels end, and its grant is good for nothing.
func TestUnpair(t *testing.T) {
	dir := t.TempDir()
	h := newHome(t, dir, `services: [{name: http, target: "`+target(t)+`"}]`)
	store, link := h.pair()
	_, kept := h.pair()
	other := store.Link(onlyRouter(t, store)) // a second program of the same device
	defer other.Close()
	second, err := other.Tunnel(h.context())
	if err != nil {
		t.Fatal(err)
	}
	first, err := link.Tunnel(h.context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := link.Open(h.context(), service.NameUnpair)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(s); err != nil || len(text) != 0 { // its end is the router's word
		t.Fatalf("%q, %v", text, err)
	}
	s.Close()
	<-first.Done()
	<-second.Done()
	if err := second.Err(); !errors.Is(err, &tunnel.RefusedError{Code: "grant_revoked"}) {
		t.Errorf("the other tunnel: %v", err)
	}
	if _, err := h.get(link, "http"); !errors.Is(err, &tunnel.RefusedError{Code: "grant_revoked"}) {
		t.Errorf("after unpair: %v", err)
	}
	if text, err := h.get(kept, "http"); err != nil || text != "hello" {
		t.Errorf("another device: %q, %v", text, err)
	}
	h.stop()
	list, err := loadDevices(filepath.Join(dir, devicesFile))
	if err != nil || len(list.byID) != 1 || list.serial != 2 {
		t.Errorf("%+v, %v; want one device", list, err)
	}
}

func onlyRouter(t *testing.T, store *device.Store) *device.Router {
	t.Helper()
	routers, err := store.Routers()
	if err != nil || len(routers) != 1 {
		t.Fatalf("%d routers, %v", len(routers), err)
	}
	return routers[0]
}

// TestRestart: an agent that has been restarted still knows its devices, and a link finds it again.
func TestRestart(t *testing.T) {
	h := newHome(t, t.TempDir(), `services: [{name: http, target: "`+target(t)+`"}]`)
	store, link := h.pair()
	if _, err := h.get(link, "http"); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	if text, err := h.get(link, "http"); err != nil || text != "hello" {
		t.Errorf("%q, %v", text, err)
	}
	r := onlyRouter(t, store)
	if r.Name != "my-home" || r.Secret == [32]byte{} {
		t.Errorf("the device calls the router %q", r.Name)
	}
}

// TestLongPath: the admin socket works where its path does not fit into a socket address.
func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	h := newHome(t, dir, "")
	if len(h.cfg.path(socketFile)) <= 108 {
		t.Fatal("the path is short")
	}
	h.pair()
}

// TestSecondAgent: a directory is for one agent at a time.
func TestSecondAgent(t *testing.T) {
	h := newHome(t, t.TempDir(), "")
	_, err := New(h.cfg, "", slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "in use by another program") {
		t.Errorf("got %v", err)
	}
	h.uri() // the first one is still there
	h.stop()
	h.start()
}
