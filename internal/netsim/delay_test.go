package netsim

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestDelay: each way takes the delay at least, nothing is lost, and the order stays.
func TestDelay(t *testing.T) {
	const delay, datagrams = 20 * time.Millisecond, 50
	server, client := newPeer(t, loopback4), newPeer(t, loopback4)
	p := newProxy(t, loopback4, server.addr(), Delay(delay))
	begin := time.Now()
	for i := range datagrams {
		client.send(fmt.Sprint("ask ", i), p.Addr())
	}
	for i := range datagrams {
		from := server.expect(fmt.Sprint("ask ", i))
		if there := time.Since(begin); there < delay {
			t.Fatalf("datagram %d is there after %v", i, there)
		}
		server.send(fmt.Sprint("answer ", i), from)
	}
	for i := range datagrams {
		client.expect(fmt.Sprint("answer ", i))
	}
	if back := time.Since(begin); back < 2*delay {
		t.Errorf("all is back after %v", back)
	}
}

// TestDelayExpires: with a mapping end its lines, but not before all has come out.
func TestDelayExpires(t *testing.T) {
	server, client := newPeer(t, loopback4), newPeer(t, loopback4)
	p := newProxy(t, loopback4, server.addr(), Delay(50*time.Millisecond), Idle(time.Hour))
	before := goleak.IgnoreCurrent()
	client.send("ask", p.Addr())
	from := server.expect("ask")
	m := p.mappingFor(client)
	asked := m.used.Load()
	server.send("answer", from)
	for m.used.Load() == asked { // until it is on its way
		runtime.Gosched()
	}
	m.used.Store(-int64(2 * time.Hour))
	_ = m.conn.SetReadDeadline(time.Unix(1, 0))
	client.expect("answer")
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
