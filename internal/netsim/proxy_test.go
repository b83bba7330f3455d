package netsim

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lethe-relay/lethe/internal/udpio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	loopback4 = netip.MustParseAddrPort("127.0.0.1:0")
	loopback6 = netip.MustParseAddrPort("[::1]:0")
)

// patience is how long a test waits for a datagram that must come.
const patience = 5 * time.Second

// peer is a client or server on a plain socket.
type peer struct {
	t *testing.T
	*net.UDPConn
}

func newPeer(t *testing.T, addr netip.AddrPort) peer {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return peer{t, conn}
}

func (p peer) addr() netip.AddrPort { return p.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p peer) send(text string, to netip.AddrPort) {
	p.t.Helper()
	if _, err := p.WriteToUDPAddrPort([]byte(text), to); err != nil {
		p.t.Fatal(err)
	}
}

// expect reads the next datagram and returns where it came from.
func (p peer) expect(text string) netip.AddrPort {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 2048)
	n, from, err := p.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != text {
		p.t.Fatalf("got %q, %v; want %q", b[:n], err, text)
	}
	return from
}

func newProxy(t *testing.T, listen, server netip.AddrPort, opts ...Option) *Proxy {
	t.Helper()
	p, err := NewProxy(listen, server, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestClients has two clients talk with one server, in every mix of address families.
func TestClients(t *testing.T) {
	for _, clientSide := range []netip.AddrPort{loopback4, loopback6} {
		for _, serverSide := range []netip.AddrPort{loopback4, loopback6} {
			t.Run(fmt.Sprintf("%v to %v", clientSide.Addr(), serverSide.Addr()), func(t *testing.T) {
				server := newPeer(t, serverSide)
				proxy := newProxy(t, clientSide, server.addr())
				a, b := newPeer(t, clientSide), newPeer(t, clientSide)

				a.send("from a", proxy.Addr())
				portA := server.expect("from a")
				b.send("from b", proxy.Addr())
				portB := server.expect("from b")
				if portA == portB {
					t.Errorf("both clients have port %v at the server", portA)
				}
				server.send("to a", portA)
				server.send("to b", portB)
				for from, to := range map[netip.AddrPort]string{a.expect("to a"): "a", b.expect("to b"): "b"} {
					if from != proxy.Addr() {
						t.Errorf("%s was answered from %v, want %v", to, from, proxy.Addr())
					}
				}
				a.send("again", proxy.Addr())
				if again := server.expect("again"); again != portA {
					t.Errorf("a moved from %v to %v", portA, again)
				}
				if d := proxy.Drops(); d != (Drops{}) {
					t.Errorf("dropped %+v", d)
				}
			})
		}
	}
}

// TestHandler watches, drops and alters, in both directions.
func TestHandler(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	server, client := newPeer(t, loopback4), newPeer(t, loopback4)
	handler := func(dir Direction, from netip.AddrPort, datagram []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprint(dir, " ", from == client.addr(), " ", string(datagram)))
		if datagram[0] == 'x' {
			return false
		}
		datagram[0] -= 'a' - 'A'
		return true
	}
	proxy := newProxy(t, loopback4, server.addr(), Handle(handler))

	client.send("xylophone", proxy.Addr())
	client.send("question", proxy.Addr())
	port := server.expect("Question")
	server.send("xenon", port)
	server.send("answer", port)
	client.expect("Answer")

	want := []string{"to server true xylophone", "to server true question", "to client true xenon", "to client true answer"}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, want) {
		t.Errorf("the handler saw %q, want %q", seen, want)
	}
	if d := proxy.Drops(); d != (Drops{Handled: 2}) {
		t.Errorf("dropped %+v, want 2 by the handler", d)
	}
}

func TestRebind(t *testing.T) {
	server := newPeer(t, loopback4)
	proxy := newProxy(t, loopback4, server.addr())
	a, b := newPeer(t, loopback4), newPeer(t, loopback4)
	before := map[string]netip.AddrPort{}
	for name, client := range map[string]peer{"a": a, "b": b} {
		client.send(name, proxy.Addr())
		before[name] = server.expect(name)
	}
	if err := proxy.Rebind(); err != nil {
		t.Fatal(err)
	}
	for name, client := range map[string]peer{"a": a, "b": b} {
		server.send("lost", before[name])
		client.send(name, proxy.Addr())
		after := server.expect(name)
		if after == before[name] {
			t.Errorf("%s kept port %v", name, after)
		}
		server.send("found", after)
		client.expect("found")
	}
}

// TestRebindFromHandler: a test may want to rebind at a certain datagram.
func TestRebindFromHandler(t *testing.T) {
	server, client := newPeer(t, loopback4), newPeer(t, loopback4)
	var proxy *Proxy
	ready, rebound := make(chan struct{}), make(chan error, 1)
	proxy = newProxy(t, loopback4, server.addr(), Handle(func(_ Direction, _ netip.AddrPort, datagram []byte) bool {
		<-ready
		if string(datagram) == "rebind" {
			rebound <- proxy.Rebind()
			return false
		}
		return true
	}))
	close(ready)
	client.send("one", proxy.Addr())
	before := server.expect("one")
	client.send("rebind", proxy.Addr())
	if err := <-rebound; err != nil {
		t.Fatal(err)
	}
	client.send("two", proxy.Addr())
	if after := server.expect("two"); after == before {
		t.Errorf("the client kept port %v", after)
	}
}

// TestExpiry ages a mapping and has its deadline pass: one that was used within the idle time must live on, another
// must make room for a new one.
func TestExpiry(t *testing.T) {
	for _, tc := range []struct {
		name    string
		age     time.Duration
		expires bool
	}{
		{"used", 30 * time.Minute, false},
		{"idle", 2 * time.Hour, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server, client := newPeer(t, loopback4), newPeer(t, loopback4)
			proxy := newProxy(t, loopback4, server.addr(), Idle(time.Hour), MaxMappings(1))
			client.send("one", proxy.Addr())
			port := server.expect("one")

			m := proxy.mappingFor(client)
			m.used.Store(-int64(tc.age))
			_ = m.conn.SetReadDeadline(time.Unix(1, 0))
			if !tc.expires {
				server.send("still there", port)
				client.expect("still there")
				return
			}
			for proxy.mappingFor(client) != nil {
				runtime.Gosched()
			}
			client.send("two", proxy.Addr())
			server.expect("two")
		})
	}
}

// TestUse: a datagram in either direction keeps a mapping alive.
func TestUse(t *testing.T) {
	server, client := newPeer(t, loopback4), newPeer(t, loopback4)
	proxy := newProxy(t, loopback4, server.addr())
	client.send("first", proxy.Addr())
	port := server.expect("first")
	m := proxy.mappingFor(client)
	for _, dir := range []Direction{ToServer, ToClient} {
		m.used.Store(0)
		before := m.expiry()
		if dir == ToServer {
			client.send("busy", proxy.Addr())
			server.expect("busy")
		} else {
			server.send("busy", port)
			client.expect("busy")
		}
		if !m.expiry().After(before) {
			t.Errorf("a datagram %v did not keep the mapping alive", dir)
		}
	}
}

// mappingFor returns the client's mapping, or nil.
func (p *Proxy) mappingFor(client peer) *mapping {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mappings[udpio.AddrFrom(client.addr())]
}

func TestMaxMappings(t *testing.T) {
	server := newPeer(t, loopback4)
	proxy := newProxy(t, loopback4, server.addr(), MaxMappings(1))
	served, refused := newPeer(t, loopback4), newPeer(t, loopback4)
	served.send("one", proxy.Addr())
	server.expect("one")
	refused.send("two", proxy.Addr())
	served.send("three", proxy.Addr())
	server.expect("three") // read after "two", by the one goroutine that reads
	if d := proxy.Drops(); d != (Drops{NoMapping: 1}) {
		t.Errorf("dropped %+v, want one without a mapping", d)
	}
}

// TestStranger: a NAT lets nobody but the server answer.
func TestStranger(t *testing.T) {
	server, client, stranger := newPeer(t, loopback4), newPeer(t, loopback4), newPeer(t, loopback4)
	proxy := newProxy(t, loopback4, server.addr())
	client.send("hello", proxy.Addr())
	port := server.expect("hello")
	stranger.send("forged", netip.AddrPortFrom(loopback4.Addr(), port.Port()))
	server.send("welcome", port)
	client.expect("welcome")
	if d := proxy.Drops(); d != (Drops{Stranger: 1}) {
		t.Errorf("dropped %+v, want one of a stranger", d)
	}
}

func TestClose(t *testing.T) {
	server, client := newPeer(t, loopback4), newPeer(t, loopback4)
	proxy := newProxy(t, loopback4, server.addr())
	client.send("hello", proxy.Addr())
	server.expect("hello")
	for range 2 {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := proxy.Rebind(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Rebind after Close: %v, want net.ErrClosed", err)
	}
	newPeer(t, proxy.Addr()) // the port is free again
}

func TestNewProxyRefuses(t *testing.T) {
	taken := newPeer(t, loopback4)
	for _, tc := range []struct{ listen, server netip.AddrPort }{
		{loopback4, netip.AddrPort{}},
		{loopback4, loopback4}, // port 0
		{taken.addr(), taken.addr()},
	} {
		if p, err := NewProxy(tc.listen, tc.server); err == nil {
			t.Errorf("NewProxy(%v, %v) succeeded", tc.listen, tc.server)
			_ = p.Close()
		}
	}
}
