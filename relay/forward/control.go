package forward

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/internal/forgetful"
	"github.com/lethe-relay/lethe/internal/udpio"
)

const (
	controlQueue    = 1024 // datagrams: a burst of 1,000 routers coming back at once
	controlDatagram = 1500 // bytes: quic-go sends and takes at most 1452
	controlStride   = 1536 // bytes of memory for one: whole cache lines
	controlBytes    = controlQueue * controlStride
	longHeader      = 0x80 // first byte of QUIC's handshake packets (RFC 9000, section 17.2)
)

// ControlConn is a [net.PacketConn] over the relay's port for what belongs to
// no leg. It is what the control plane's QUIC runs on. The loops put datagrams
// into a bounded queue; when nobody takes them they are dropped and counted.
type ControlConn struct {
	// static
	local  net.Addr
	queue  chan *controlPacket
	free   chan *controlPacket
	closed chan struct{}

	closeOnce sync.Once
	drops     dropCounters  // of what it sends
	delivered atomic.Uint64 // datagrams put into the queue

	// guarded by mu
	mu     sync.Mutex
	writer *udpio.Writer
	out    []udpio.Message

	// guarded by memoryMu
	memoryMu sync.Mutex // held while ReadFrom or drop is at packets of the queue
	dropped  bool       // their buffers are gone

	// guarded by peersMu
	peersMu sync.RWMutex
	peers   *forgetful.Map[udpio.Addr, int] // connections from each expected address
}

type controlPacket struct {
	buf  []byte // of controlDatagram, in packet memory
	n    int
	path udpio.Path
}

// controlAddr is a peer's address together with the local address it wrote to,
// so that the answer leaves from there on a host that has several.
type controlAddr struct {
	*net.UDPAddr
	path udpio.Path
}

// newControlConn makes one whose queue lies in memory, of controlBytes.
func newControlConn(conn *udpio.Conn, memory []byte) *ControlConn {
	c := &ControlConn{
		local:  net.UDPAddrFromAddrPort(conn.LocalAddr()),
		queue:  make(chan *controlPacket, controlQueue),
		free:   make(chan *controlPacket, controlQueue),
		closed: make(chan struct{}),
		writer: conn.NewWriter(1),
		out:    make([]udpio.Message, 1),
		peers:  forgetful.New[udpio.Addr, int](),
	}
	for i := range controlQueue {
		start := i * controlStride
		c.free <- &controlPacket{buf: memory[start : start+controlDatagram : start+controlDatagram]}
	}
	return c
}

// Expect lets the datagrams of an established connection from addr pass, until
// forget is called. addr is one that ReadFrom returned, and has proved itself.
//
// From elsewhere, only Initial packets pass. QUIC would take a short-header packet
// for a connection that has moved, and answer it with a path challenge of 1200
// bytes to an address that may be forged. So control connections can't move:
// their clients connect again. It also keeps what tunnels send away from QUIC,
// whose buffers nobody wipes; see initialBytes.
func (c *ControlConn) Expect(addr net.Addr) (forget func()) {
	a, ok := addr.(*controlAddr)
	if !ok {
		return func() {}
	}
	remote := a.path.Remote
	c.peersMu.Lock()
	defer c.peersMu.Unlock()
	c.peers.Set(remote, c.peers.Get(remote)+1)
	return func() {
		c.peersMu.Lock()
		defer c.peersMu.Unlock()
		if left := c.peers.Get(remote) - 1; left > 0 {
			c.peers.Set(remote, left)
		} else {
			c.peers.Delete(remote)
		}
	}
}

func (c *ControlConn) expects(from udpio.Addr) bool {
	c.peersMu.RLock()
	defer c.peersMu.RUnlock()
	return c.peers.Get(from) > 0
}

// deliver copies one datagram into the queue, from an address that is not
// expected only its Initial packets. Any loop may call it.
func (c *ControlConn) deliver(datagram []byte, from udpio.Path) (DropReason, bool) {
	if len(datagram) > controlDatagram {
		return DropControlTooBig, false
	}
	admitted := len(datagram)
	if !c.expects(from.Remote) {
		if admitted = initialBytes(datagram); admitted == 0 {
			return DropControlStray, false
		}
	}
	select {
	case p := <-c.free:
		copy(p.buf, datagram[:admitted])
		p.n = len(datagram) // the rest is zero, and counts: QUIC takes no small Initial
		p.path = from
		c.delivered.Add(1)
		c.queue <- p // never blocks: there are as many packets as places
		return 0, true
	default:
		return DropControlFull, false
	}
}

// ReadFrom implements [net.PacketConn].
func (c *ControlConn) ReadFrom(b []byte) (int, net.Addr, error) {
	if len(c.queue) == 0 {
		forgetful.Stack() // of QUIC's goroutine, which is about to wait
	}
	select {
	case p := <-c.queue:
		c.memoryMu.Lock()
		defer c.memoryMu.Unlock()
		if c.dropped {
			return 0, nil, net.ErrClosed
		}
		n := copy(b, p.buf[:p.n])
		addr := &controlAddr{UDPAddr: net.UDPAddrFromAddrPort(p.path.Remote.AddrPort()), path: p.path}
		clear(p.buf[:p.n])
		p.path = udpio.Path{}
		c.free <- p
		return n, addr, nil
	case <-c.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements [net.PacketConn]. addr is one that ReadFrom returned.
func (c *ControlConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*controlAddr)
	if !ok {
		return 0, &net.OpError{Op: "write", Net: "udp", Addr: addr, Err: net.InvalidAddrError("not an address of this connection")}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out[0] = udpio.Message{Buf: b, N: len(b), Path: to.path}
	err := c.writer.WriteBatch(c.out)
	if timedOut(err) { // set by loop.ask, since there is no room for so long
		err = nil
	}
	if err == nil && c.out[0].Unsent > 0 {
		c.drops.add(dropOf(c.out[0].Status), 1)
	}
	c.out[0] = udpio.Message{}
	c.writer.Wipe()
	return len(b), err
}

// Close ends ReadFrom; the sockets belong to the [Plane].
func (c *ControlConn) Close() error {
	c.closeOnce.Do(func() { close(c.closed) })
	return nil
}

// drop forgets what waits in the queue, whose buffers nobody touches afterwards.
// The loops have ended.
func (c *ControlConn) drop() {
	c.memoryMu.Lock()
	defer c.memoryMu.Unlock()
	c.dropped = true
	for {
		select {
		case p := <-c.queue:
			clear(p.buf)
			*p = controlPacket{}
		default:
			return
		}
	}
}

// LocalAddr implements [net.PacketConn].
func (c *ControlConn) LocalAddr() net.Addr { return c.local }

// SetReadDeadline implements [net.PacketConn] as far as quic-go needs it: a
// deadline that has come ends reading for good.
func (c *ControlConn) SetReadDeadline(t time.Time) error {
	if !t.IsZero() && !t.After(time.Now()) {
		return c.Close()
	}
	return nil
}

// SetDeadline implements [net.PacketConn].
func (c *ControlConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline implements [net.PacketConn]; writes don't wait.
func (c *ControlConn) SetWriteDeadline(time.Time) error { return nil }

// SetReadBuffer is here so that quic-go does not ask for larger kernel
// buffers: the [Plane] has sized them.
func (c *ControlConn) SetReadBuffer(int) error { return nil }

// SetWriteBuffer is here for the same reason.
func (c *ControlConn) SetWriteBuffer(int) error { return nil }

// AddrPortOf returns the address of a peer of a [ControlConn].
func AddrPortOf(addr net.Addr) netip.AddrPort {
	if a, ok := addr.(*controlAddr); ok {
		return a.path.Remote.AddrPort()
	}
	return netip.AddrPort{}
}
