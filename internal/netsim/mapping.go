package netsim

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// mapping is one client's port at the server. It never changes its socket: Rebind puts another mapping in its place.
type mapping struct {
	// static
	proxy  *Proxy
	client netip.AddrPort
	path   udpio.Path // back to the client
	conn   *udpio.Conn
	ended  chan struct{} // by remove

	lineToServer, lineToClient *line // nil without Delay

	toServer *udpio.Writer // owned by Proxy.serve, or by the line
	used     atomic.Int64  // when a datagram last went through, in nanoseconds since Proxy.start
}

// mappingOf returns the mapping of the client that path leads to, a new one if need be. It returns nil if there can be
// none.
func (p *Proxy) mappingOf(path udpio.Path) *mapping {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.mappings[path.Remote]; m != nil {
		return m
	}
	if p.mappings == nil || len(p.mappings) >= p.maxMappings {
		return nil
	}
	m, err := p.open(path)
	if err != nil {
		return nil
	}
	return m
}

// open makes a mapping for the client that path leads to, in place of the one it may have. The caller holds mu.
func (p *Proxy) open(path udpio.Path) (*mapping, error) {
	conn, err := udpio.Listen(p.upstream, udpio.Config{BufferBytes: bufferBytes})
	if err != nil {
		return nil, err
	}
	m := &mapping{proxy: p, client: path.Remote.AddrPort(), path: path, conn: conn, ended: make(chan struct{}),
		toServer: conn.NewWriter(listenBatch)}
	if p.delay > 0 {
		m.lineToServer = m.newLine(m.toServer, udpio.Path{Remote: p.server})
		m.lineToClient = m.newLine(p.conn.NewWriter(1), path)
	}
	m.touch()
	p.mappings[path.Remote] = m
	p.goroutines.Go(m.run)
	return m, nil
}

// touch keeps the mapping from being idle.
func (m *mapping) touch() { m.used.Store(int64(time.Since(m.proxy.start))) }

// expiry is when the mapping will have been idle for too long.
func (m *mapping) expiry() time.Time {
	return m.proxy.start.Add(time.Duration(m.used.Load()) + m.proxy.idle)
}

// run forwards what the server sends, until the socket is closed or the mapping idle for too long.
func (m *mapping) run() {
	defer m.remove()
	reader, writer := m.conn.NewReader(upstreamBatch), m.proxy.conn.NewWriter(upstreamBatch)
	batch := udpio.NewBatch(upstreamBatch)
	_ = m.conn.SetReadDeadline(m.expiry()) // fails only on a closed socket, as ReadBatch will
	for {
		n, err := reader.ReadBatch(batch)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !time.Now().Before(m.expiry()) {
				return
			}
			_ = m.conn.SetReadDeadline(m.expiry())
		case err == nil: // any other error is about this call
			m.toClient(writer, batch[:n])
		}
	}
}

// toClient forwards messages that came to the mapping's port, if the server sent them.
func (m *mapping) toClient(w *udpio.Writer, ms []udpio.Message) {
	ms = m.fromServer(ms)
	if len(ms) == 0 {
		return
	}
	m.touch()
	m.proxy.pass(w, m.lineToClient, m.path, m.proxy.filter(ToClient, m.client, ms))
}

// fromServer moves the messages of the server to the front, in order, and returns them.
func (m *mapping) fromServer(ms []udpio.Message) []udpio.Message {
	kept := 0
	for i := range ms {
		if ms[i].Path.Remote != m.proxy.server {
			m.proxy.drops.stranger.Add(uint64(ms[i].Datagrams()))
			continue
		}
		ms[i], ms[kept] = ms[kept], ms[i]
		kept++
	}
	return ms[:kept]
}

// remove ends the mapping, and forgets it unless another has taken its place.
func (m *mapping) remove() {
	p := m.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = m.conn.Close()
	close(m.ended)
	if p.mappings[m.path.Remote] == m {
		delete(p.mappings, m.path.Remote)
	}
}
