package tunnel

import (
	"crypto/rand"
	"net"
	"testing"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
)

// TestCloseWaitsForAccept: who closes a session in the moment in which its handshake is over, but not noted yet, gets
// the connection to close. Otherwise the device would not be told, and go on until its idle time-out.
func TestCloseWaitsForAccept(t *testing.T) {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	conf, err := tunnelTLS(id, auth.PinDevice(id.PublicKey()))
	if err != nil {
		t.Fatal(err)
	}
	transport := &quic.Transport{Conn: socket}
	defer transport.Close()
	listener, err := transport.Listen(conf, routerQUIC(newWindowBudget(0).share()))
	if err != nil {
		t.Fatal(err)
	}
	s := &session{}
	over := s.await(listener)
	closing := make(chan *quic.Conn)
	go func() { closing <- s.established() }()
	if _, err := listener.Accept(t.Context()); err == nil { // it ends because the session is being closed
		t.Fatal("a connection of nobody")
	}
	select {
	case conn := <-closing:
		t.Fatalf("it did not wait, and got %v", conn)
	default:
	}
	want := &quic.Conn{}
	s.complete(want)
	over()
	if got := <-closing; got != want {
		t.Errorf("it got %v", got)
	}
}
