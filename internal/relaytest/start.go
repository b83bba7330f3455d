package relaytest

import (
	"context"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/relay"
)

// Start runs a relay on a port of loopback that the kernel chooses, until the
// test's end, and returns the URL that routers are enrolled with. change may
// change the configuration; it may be nil. An error of the relay fails the test.
func Start(t testing.TB, change func(*relay.Config)) auth.RelayURL {
	t.Helper()
	path, err := relay.Init(filepath.Join(t.TempDir(), "relay"), netip.MustParseAddrPort("127.0.0.1:0"), "")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := relay.LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Lockdown = lockdown.Off // a test shares its process
	if change != nil {
		change(cfg)
	}
	r, err := relay.New(cfg, "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Run(ctx, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("relay: %v", err)
		}
	})
	return r.URL()
}
