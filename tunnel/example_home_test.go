package tunnel_test

import (
	"context"
	"crypto/rand"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/relay"
	"github.com/lethe-relay/lethe/tunnel"
)

// exampleRelay runs a relay in this process and returns the URL that 'lethe-relay url' would print.
func exampleRelay() (url auth.RelayURL, stop func()) {
	dir, err := os.MkdirTemp("", "")
	check(err)
	path, err := relay.Init(filepath.Join(dir, "relay"), netip.MustParseAddrPort("127.0.0.1:0"), "")
	check(err)
	cfg, err := relay.LoadConfig(path)
	check(err)
	cfg.Lockdown = lockdown.Off // router and device are in this process, too
	r, err := relay.New(cfg, "test", nil)
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Run(ctx, nil) }()
	return r.URL(), func() {
		cancel()
		check(<-done)
		os.RemoveAll(dir)
	}
}

// exampleRouter runs a router that sends back what it gets, and returns what a device that is paired with it knows.
func exampleRouter(ctx context.Context, relayURL auth.RelayURL, device *auth.Identity) (router tunnel.Router, stop func()) {
	id := exampleIdentity()
	l, err := tunnel.Listen(ctx, tunnel.ListenConfig{Identity: id, Relay: relayURL})
	check(err)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go echo(conn.(*tunnel.Stream))
		}
	}()
	return tunnel.Router{Relay: relayURL, ID: id.RouterID(), Grant: exampleGrant(id, device)}, func() { l.Close() }
}

func exampleIdentity() *auth.Identity {
	id, err := auth.NewIdentity(rand.Reader)
	check(err)
	return id
}

func exampleGrant(router, device *auth.Identity) []byte {
	grant, err := auth.Issue(router, auth.Grant{
		Device: device.PublicKey(), Role: auth.RoleGuest, Services: []string{"echo", "http"},
		NotBefore: time.Now(), NotAfter: time.Now().Add(24 * time.Hour), Serial: 1,
	}, rand.Reader)
	check(err)
	return grant
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
