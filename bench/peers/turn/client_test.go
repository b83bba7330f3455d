package turn_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/peers/server"
	"github.com/lethe-relay/lethe/bench/peers/turn"
)

const deadline = 10 * time.Second

var right = turn.Credential{User: "user", Password: "password"}

// socket is a UDP socket on loopback.
func socket(t *testing.T) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// start starts a server of the library.
func start(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, address := socket(t)
	conn.Close()
	p := server.Parts()[server.PionPart]()
	t.Cleanup(p.Close)
	config, _ := json.Marshal(server.PionConfig{Listen: address.String(), User: right.User, Password: right.Password})
	if _, err := p.Handlers[server.Start](t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return address
}

// TestChannel: what is sent into a channel comes to the peer, and what the peer
// answers comes with the channel's header.
func TestChannel(t *testing.T) {
	address := start(t)
	conn, _ := socket(t)
	peer, peerAddress := socket(t)
	c, err := turn.Allocate(t.Context(), conn, address, right)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(t.Context(), turn.FirstChannel, peerAddress); err != nil {
		t.Fatal(err)
	}
	const question, answer = "question", "answered" // 8 bytes: the server pads to a multiple of four

	conn.WriteToUDPAddrPort(append(turn.Header(turn.FirstChannel, len(question)), question...), address)
	if got, from := receive(t, peer); got != question || from != c.Relayed {
		t.Errorf("the peer gets %q from %v, want %q from %v", got, from, question, c.Relayed)
	}
	peer.WriteToUDPAddrPort([]byte(answer), c.Relayed)
	if got, _ := receive(t, conn); got != "\x40\x00\x00\x08"+answer {
		t.Errorf("the client gets %q", got)
	}
}

func receive(t *testing.T, conn *net.UDPConn) (string, netip.AddrPort) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(deadline))
	buf := make([]byte, 100)
	n, from, err := conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n]), from
}

func TestRefused(t *testing.T) {
	address := start(t)
	for name, wrong := range map[string]turn.Credential{"user": {User: "other", Password: right.Password}, "password": {User: right.User, Password: "other"}} {
		conn, _ := socket(t)
		if _, err := turn.Allocate(t.Context(), conn, address, wrong); err == nil || !strings.Contains(err.Error(), "refuses: 401") {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// TestSilence: a server that says nothing, or nothing sensible, is waited for as
// long as the context lasts.
func TestSilence(t *testing.T) {
	_, address := socket(t)
	conn, _ := socket(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := turn.Allocate(ctx, conn, address, right); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}
