package netsim

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
)

const (
	listenBatch   = 16      // messages of up to 64 KiB, read at once from all clients
	upstreamBatch = 4       // the same, from the server for one client
	bufferBytes   = 2 << 20 // wanted socket buffers: a proxy that drops by itself spoils a measurement
)

// Proxy is a NAT between clients and one server. Its methods may be called from any goroutine.
//
// One goroutine reads the clients, one for each mapping reads the server; with Delay two more send for each mapping.
// They end with Close.
type Proxy struct {
	// static
	conn        *udpio.Conn
	server      udpio.Addr
	upstream    netip.AddrPort // where upstream sockets are bound: any port of the server's address family
	handle      Handler        // nil: forward all
	idle        time.Duration
	maxMappings int
	delay       time.Duration
	start       time.Time
	closed      chan struct{} // by Close

	drops      drops
	goroutines sync.WaitGroup

	mu       sync.Mutex
	mappings map[udpio.Addr]*mapping // by client; nil once closed
}

// NewProxy starts a proxy that listens on listen, where port 0 picks a free one, and forwards to server. The two may
// be of different address families. The caller closes it.
func NewProxy(listen, server netip.AddrPort, opts ...Option) (*Proxy, error) {
	if !server.IsValid() || server.Port() == 0 {
		return nil, fmt.Errorf("netsim: %v is not the address of a server: give an IP address and a port", server)
	}
	p := &Proxy{
		server:      udpio.AddrFrom(server),
		upstream:    netip.AddrPortFrom(netip.IPv6Unspecified(), 0),
		idle:        defaultIdle,
		maxMappings: defaultMaxMappings,
		start:       time.Now(),
		closed:      make(chan struct{}),
		mappings:    make(map[udpio.Addr]*mapping),
	}
	if server.Addr().Unmap().Is4() {
		p.upstream = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	for _, option := range opts {
		option(p)
	}
	var err error
	if p.conn, err = udpio.Listen(listen, udpio.Config{BufferBytes: bufferBytes}); err != nil {
		return nil, fmt.Errorf("netsim: %w", err)
	}
	p.goroutines.Go(p.serve)
	return p, nil
}

// Addr returns the address that clients send to.
func (p *Proxy) Addr() netip.AddrPort { return p.conn.LocalAddr() }

// Close closes all sockets and returns when all goroutines have ended. Closing again does nothing.
func (p *Proxy) Close() error {
	p.mu.Lock()
	if p.mappings != nil {
		close(p.closed)
	}
	err := p.conn.Close()
	for _, m := range p.mappings {
		err = errors.Join(err, m.conn.Close())
	}
	p.mappings = nil
	p.mu.Unlock()
	p.goroutines.Wait()
	return err
}

// Rebind does what a NAT does that restarts: each client gets a fresh port, and datagrams to the old one are lost. The
// server cannot reach a client until it has heard from it again.
func (p *Proxy) Rebind() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mappings == nil {
		return net.ErrClosed
	}
	for client, old := range p.mappings {
		// The new socket is made while the old one still has its port, so that the port differs.
		if _, err := p.open(old.path); err != nil {
			return fmt.Errorf("netsim: rebind %v: %w", client, err)
		}
		_ = old.conn.Close()
	}
	return nil
}

// serve forwards what clients send, until Close.
func (p *Proxy) serve() {
	reader, batch := p.conn.NewReader(listenBatch), udpio.NewBatch(listenBatch)
	for {
		n, err := reader.ReadBatch(batch)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		for rest := batch[:n]; len(rest) > 0; { // any other error is about one call
			run := sameClient(rest)
			p.toServer(rest[:run])
			rest = rest[run:]
		}
	}
}

// sameClient returns how many messages from the start on are from one client.
func sameClient(ms []udpio.Message) int {
	for i := range ms {
		if ms[i].Path.Remote != ms[0].Path.Remote {
			return i
		}
	}
	return len(ms)
}

// toServer forwards messages of one client.
func (p *Proxy) toServer(ms []udpio.Message) {
	m := p.mappingOf(ms[0].Path)
	if m == nil {
		p.drops.noMapping.Add(datagrams(ms))
		return
	}
	m.touch()
	p.pass(m.toServer, m.lineToServer, udpio.Path{Remote: p.server}, p.filter(ToServer, m.client, ms))
}

// pass sends ms, or lets them take the long way if there is one.
func (p *Proxy) pass(w *udpio.Writer, late *line, to udpio.Path, ms []udpio.Message) {
	if late != nil {
		late.put(ms)
		return
	}
	p.send(w, to, ms)
}

// filter asks the Handler about each datagram. It moves the messages that have some left to the front, in order, and
// returns them.
func (p *Proxy) filter(dir Direction, client netip.AddrPort, ms []udpio.Message) []udpio.Message {
	if p.handle == nil {
		return ms
	}
	kept := 0
	for i := range ms {
		if p.filterMessage(dir, client, &ms[i]) {
			ms[i], ms[kept] = ms[kept], ms[i]
			kept++
		}
	}
	return ms[:kept]
}

// filterMessage takes the refused datagrams out of m, and reports whether there is one left. Since all but the last
// are of one size, what is left can be pushed together and is a message again.
func (p *Proxy) filterMessage(dir Direction, client netip.AddrPort, m *udpio.Message) bool {
	kept, end := 0, 0
	for datagram := range m.Segments() {
		if p.handle(dir, client, datagram) {
			end += copy(m.Buf[end:], datagram)
			kept++
		} else {
			p.drops.handled.Add(1)
		}
	}
	m.N = end
	return kept > 0
}

// send writes ms to one destination and counts what was not sent.
func (p *Proxy) send(w *udpio.Writer, to udpio.Path, ms []udpio.Message) {
	for i := range ms {
		ms[i].Path = to
	}
	_ = w.WriteBatch(ms) // a closed socket shows in Unsent too
	for i := range ms {
		p.drops.unsent.Add(uint64(ms[i].Unsent))
	}
}

// datagrams returns how many datagrams ms hold.
func datagrams(ms []udpio.Message) (n uint64) {
	for i := range ms {
		n += uint64(ms[i].Datagrams())
	}
	return n
}
