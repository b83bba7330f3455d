package control

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/wire"
)

// What a router that does nothing has waiting for it: at the relay QUIC's own two
// goroutines and one of ours, which waits for requests; at its own end QUIC's two.
const (
	goroutinesAtRelay  = 3
	goroutinesAtRouter = 2
)

// TestGoroutinesOfIdleRouters: there are no more of them. One more would cost some
// 3 KB for each router, at ten thousand routers 30 MB.
func TestGoroutinesOfIdleRouters(t *testing.T) {
	const routers = 8
	// What this goroutine starts, and what that starts, has the label: earlier tests
	// may have left some that end meanwhile.
	pprof.SetGoroutineLabels(pprof.WithLabels(t.Context(), pprof.Labels(ofTest, t.Name())))
	r := startRelay(t, nil, nil)
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	transport := &quic.Transport{Conn: socket}
	t.Cleanup(func() { transport.Close(); socket.Close() })
	r.registerOn(t, transport) // with it comes what there is once
	before := settled(t, 0)
	for range routers {
		r.registerOn(t, transport)
	}
	want := before + routers*(goroutinesAtRelay+goroutinesAtRouter)
	if got := settled(t, want); got != want {
		t.Errorf("%d routers more have %d goroutines more, want %d", routers, got-before, want-before)
	}
}

// registerOn registers a router of its own over a transport that several share.
func (r *testRelay) registerOn(t *testing.T, transport *quic.Transport) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := transport.Dial(ctx, r.udpAddr(), clientTLS(certificate(t, identity(t))), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask[*wire.Registered](t, &client{Conn: conn}, &wire.Register{Token: r.token[:]}); err != nil {
		t.Fatal(err)
	}
}

// settled returns the number of the test's goroutines as soon as it is want, or the
// least that it comes to while a request takes to be over.
func settled(t *testing.T, want int) (least int) {
	t.Helper()
	least = labelled(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(2 * endTimeout); least != want; {
		select {
		case <-tick.C:
			least = min(least, labelled(t))
		case <-late:
			return least
		}
	}
	return least
}

// ofTest is the label of a test's goroutines.
const ofTest = "test"

// labelled is the number of goroutines with the label of t.
func labelled(t *testing.T) (n int) {
	t.Helper()
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	label, alike := fmt.Sprintf("# labels: {%q:%q}", ofTest, t.Name()), 0
	for line := range strings.Lines(profile.String()) {
		if strings.TrimSpace(line) == label {
			n += alike
		} else if strings.Contains(line, " @ ") {
			fmt.Sscan(line, &alike)
		}
	}
	return n
}
