package tunnel_test

import (
	"context"
	"testing"

	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// TestPushesThatEndLate: a relay's push is over for the router although its end
// comes after the answer. Otherwise each would keep its place among the streams.
func TestPushesThatEndLate(t *testing.T) {
	e := newEvilRelay(t)
	id := newIdentity(t)
	l, err := tunnel.Listen(t.Context(), tunnel.ListenConfig{Identity: id, Relay: e.url})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e.mu.Lock()
	conn := e.routers[id.RouterID()]
	e.mu.Unlock()
	device := [32]byte(newIdentity(t).PublicKey())
	for i := range 100 { // more than there may be at once
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		stream, err := conn.OpenStreamSync(ctx)
		cancel()
		if err != nil {
			t.Fatalf("push %d: %v", i, err)
		}
		push := &wire.Incoming{Leg: 1, Secret: wire.LegSecret{1}, Device: device, Purpose: wire.PurposePairing}
		if err := wire.WriteMessage(stream, push); err != nil {
			t.Fatal(err)
		}
		if _, err := wire.Expect[*wire.Accept](stream); err == nil {
			t.Fatal("a pairing session, though no URI is out")
		}
		stream.Close()
		stream.CancelRead(0)
	}
}
