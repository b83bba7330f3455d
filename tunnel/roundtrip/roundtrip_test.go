package roundtrip_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/relay"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/roundtrip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// countingListener counts the streams that come in.
type countingListener struct {
	net.Listener
	accepted atomic.Int32
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

// serve runs an HTTP server on a router until the test's end.
func serve(t *testing.T, h http.Handler) (*countingListener, *tunnel.Tunnel) {
	t.Helper()
	l, tun, stop := start(t.TempDir(), h)
	t.Cleanup(stop)
	return l, tun
}

// start runs a relay, a router with an HTTP server, and a device. It returns the counter of the router's streams and
// the device's tunnel.
func start(dir string, h http.Handler) (l *countingListener, tun *tunnel.Tunnel, stop func()) {
	path, err := relay.Init(filepath.Join(dir, "relay"), netip.MustParseAddrPort("127.0.0.1:0"), "")
	check(err)
	cfg, err := relay.LoadConfig(path)
	check(err)
	cfg.Lockdown = lockdown.Off // the test shares its process
	r, err := relay.New(cfg, "test", nil)
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { check(r.Run(ctx, nil)) })

	router, err := auth.NewIdentity(rand.Reader)
	check(err)
	device, err := auth.NewIdentity(rand.Reader)
	check(err)
	listener, err := tunnel.Listen(ctx, tunnel.ListenConfig{Identity: router, Relay: r.URL()})
	check(err)
	l = &countingListener{Listener: listener}
	server := &http.Server{Handler: h}
	running.Go(func() { server.Serve(l) })

	grant, err := auth.Issue(router, auth.Grant{
		Device: device.PublicKey(), Role: auth.RoleGuest, Services: []string{"http"},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), Serial: 1,
	}, rand.Reader)
	check(err)
	tun, err = tunnel.Dial(ctx, tunnel.DialConfig{Identity: device, Router: tunnel.Router{Relay: r.URL(), ID: router.RouterID(), Grant: grant}})
	check(err)
	return l, tun, func() {
		tun.Close()
		server.Close()
		cancel()
		running.Wait()
	}
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}

// An app asks its router for a page. Whatever host the URL names, the request
// goes to the service of that name at the router.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(dir)
	_, t, stop := start(dir, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello from %s", r.Host)
	}))
	defer stop()

	client := http.Client{Transport: roundtrip.New(t, "http")}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://home/")
	check(err)
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	fmt.Println(string(page), err)
	// Output: hello from home <nil>
}

// TestKeepAlive: requests one after the other use one stream, whatever host they name.
func TestKeepAlive(t *testing.T) {
	l, tun := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Host, r.URL.Path)
	}))
	rt := roundtrip.New(tun, "http")
	client := http.Client{Transport: rt}
	for _, url := range []string{"http://router.invalid/a", "http://router.invalid/b", "http://router.invalid/c"} {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if want := strings.TrimPrefix(strings.Replace(url, "invalid/", "invalid /", 1), "http://"); string(body) != want {
			t.Errorf("%q, want %q", body, want)
		}
	}
	if n := l.accepted.Load(); n != 1 {
		t.Errorf("%d streams for three requests", n)
	}
	rt.CloseIdleConnections()
	resp, err := client.Get("http://router.invalid/again")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n := l.accepted.Load(); n != 2 {
		t.Errorf("%d streams, want a second one", n)
	}
	rt.CloseIdleConnections()
}

// TestLargeBodies go both ways in one request.
func TestLargeBodies(t *testing.T) {
	_, tun := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Write(body)
	}))
	rt := roundtrip.New(tun, "http")
	defer rt.CloseIdleConnections()
	body := make([]byte, 20<<20)
	rand.Read(body)
	resp, err := (&http.Client{Transport: rt}).Post("http://router/", "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestRefused: a service that the grant does not name.
func TestRefused(t *testing.T) {
	_, tun := serve(t, http.NotFoundHandler())
	rt := roundtrip.New(tun, "admin")
	defer rt.CloseIdleConnections()
	_, err := (&http.Client{Transport: rt}).Get("http://router/")
	if err == nil || !strings.Contains(err.Error(), "service_not_granted") {
		t.Errorf("got %v", err)
	}
}
