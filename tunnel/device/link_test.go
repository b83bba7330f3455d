package device

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/relaytest"
	"github.com/lethe-relay/lethe/tunnel"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// newLink is a link to a router that answers each stream with "hello" if it is asked for this service.
func newLink(t *testing.T) (*Link, *tunnel.Listener) {
	t.Helper()
	store, _ := newStore(t)
	url, router := relaytest.Start(t, nil), newIdentity(t)
	l, err := tunnel.Listen(t.Context(), tunnel.ListenConfig{Identity: router, Relay: url})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			s, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(s, "hello")
			s.Close()
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	grant, err := auth.Issue(router, auth.Grant{
		Device: store.Identity().PublicKey(), Role: auth.RoleOwner, Services: []string{"hello"},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), Serial: 1,
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	link := store.Link(&Router{Router: tunnel.Router{Relay: url, ID: router.RouterID(), Grant: grant}})
	t.Cleanup(func() { link.Close() })
	return link, l
}

func wantHello(t *testing.T, link *Link) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := link.Open(ctx, "hello")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if text, err := io.ReadAll(s); err != nil || string(text) != "hello" {
		t.Fatalf("%q, %v", text, err)
	}
}

// TestLink: one tunnel for all who ask, and another when it has died.
func TestLink(t *testing.T) {
	link, l := newLink(t)
	tunnels := make(chan *tunnel.Tunnel, 5)
	for range cap(tunnels) {
		go func() {
			tun, err := link.Tunnel(context.Background())
			if err != nil {
				t.Error(err)
			}
			tunnels <- tun
		}()
	}
	first := <-tunnels
	for range cap(tunnels) - 1 {
		if tun := <-tunnels; tun != first {
			t.Error("there are two tunnels")
		}
	}
	wantHello(t, link)
	if n := l.Disconnect(link.identity.DeviceID()); n != 1 {
		t.Errorf("%d tunnels", n)
	}
	<-first.Done()
	wantHello(t, link)
	if second, err := link.Tunnel(context.Background()); err != nil || second == first {
		t.Errorf("%v, the same tunnel: %t", err, second == first)
	}
	link.Close()
	if _, err := link.Open(context.Background(), "hello"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestLinkWaits: nobody is held up by somebody else's dialling for longer than his own context says, and Close
// breaks dialling off.
func TestLinkWaits(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	store, _ := newStore(t)
	link := store.Link(&Router{Router: tunnel.Router{Relay: auth.RelayURL{Host: silent.LocalAddr().String(), Pin: auth.RelayPin{1}}}})
	dialled := make(chan error)
	go func() {
		_, err := link.Open(context.Background(), "hello")
		dialled <- err
	}()
	if _, _, err := silent.ReadFrom(make([]byte, 2000)); err != nil { // it dials
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := link.Tunnel(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a second one: %v", err)
	}
	began := time.Now()
	link.Close()
	if err := <-dialled; !errors.Is(err, net.ErrClosed) || time.Since(began) > time.Second {
		t.Errorf("dialling: %v after %v", err, time.Since(began))
	}
}
