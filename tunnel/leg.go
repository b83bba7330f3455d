package tunnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// controlFunc is called with every socket before it is bound, as in
// [net.ListenConfig]; apps use it to keep sockets out of their own VPN.
type controlFunc func(network, address string, c syscall.RawConn) error

// leg is one end's leg of a session: a [net.PacketConn] for quic-go whose
// datagrams go through the relay. Its socket may be replaced at any time; the
// QUIC connection above sees one peer at one address.
//
// It has one goroutine of its own, keep, which sends the BINDs. quic-go reads
// from one goroutine and writes from another.
type leg struct {
	// static
	relay   udpio.Addr
	control controlFunc

	socket atomic.Pointer[legSocket]
	done   chan struct{} // closed by Close
	once   sync.Once
	keeper sync.WaitGroup

	wake  chan struct{} // tells keep that the binder is due earlier than it was
	moved chan struct{} // gets a token when the socket has been replaced

	// What the tunnel has sent and received since keep last looked, in batches:
	// all that is known on the data path of whether the relay still hears us.
	sent, received atomic.Uint32

	// guarded by mu
	mu       sync.Mutex
	binder   *binder
	deadline time.Time // for reading

	// guarded by writeMu
	writeMu sync.Mutex
	outbox  outbox

	// owned by the reader
	in   []udpio.Message
	have []udpio.Message // read and not yet handed out
	at   int             // bytes of have[0] handed out
	feed feed
}

// legSocket is a socket with the scratch that is its own.
type legSocket struct {
	conn   *udpio.Conn
	reader *udpio.Reader
	writer *udpio.Writer // guarded by the leg's writeMu
}

// newLeg opens the leg's first socket. It is not bound yet.
func newLeg(relay netip.AddrPort, id wire.LegID, secret wire.LegSecret, control controlFunc) (*leg, error) {
	l := &leg{
		relay:   udpio.AddrFrom(relay),
		control: control,
		done:    make(chan struct{}),
		binder:  newBinder(id, secret),
		wake:    make(chan struct{}, 1),
		moved:   make(chan struct{}, 1),
		in:      udpio.NewBatch(legMessages),
	}
	l.outbox = newOutbox(l.flush)
	s, err := l.open()
	if err != nil {
		return nil, err
	}
	l.socket.Store(s)
	return l, nil
}

func (l *leg) open() (*legSocket, error) {
	any := netip.IPv4Unspecified()
	if l.relay.AddrPort().Addr().Is6() {
		any = netip.IPv6Unspecified()
	}
	conn, err := udpio.Listen(netip.AddrPortFrom(any, 0), udpio.Config{BufferBytes: socketBuffer(ownMemory()), Control: l.control})
	if err != nil {
		return nil, fmt.Errorf("open a UDP socket: %w", plainly(err))
	}
	return &legSocket{conn: conn, reader: conn.NewReader(legMessages), writer: conn.NewWriter(heldRuns + 1)}, nil
}

// buffers are the sizes of the socket's buffers in bytes: what was asked for, each
// way, and what the kernel gives. Where it does not tell, that is as much.
func (l *leg) buffers() (asked, receive, send int) {
	asked = socketBuffer(ownMemory())
	receive, send = l.socket.Load().conn.Granted()
	return asked, cmp.Or(receive, asked), cmp.Or(send, asked)
}

// bind binds the leg for the first time and returns when the relay has said
// so. From then on the leg keeps itself bound until Close.
func (l *leg) bind(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, bindTimeout)
	defer cancel()
	l.keeper.Go(l.keep)
	stop := context.AfterFunc(ctx, func() { l.SetReadDeadline(time.Now()) })
	defer stop()
	for !l.isBound() {
		if err := l.fill(); err != nil {
			if ctx.Err() != nil {
				return notBound(parent)
			}
			return err
		}
	}
	if !stop() {
		return notBound(parent)
	}
	return nil
}

func notBound(asked context.Context) error {
	if asked.Err() != nil {
		return fmt.Errorf("%w (%w)", ErrLegNotBound, context.Cause(asked))
	}
	return ErrLegNotBound
}

func (l *leg) isBound() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.binder.bound
}

// fill reads from the socket until there are tunnel datagrams to hand out, or
// the leg has just been bound.
func (l *leg) fill() error {
	for {
		s := l.socket.Load()
		n, err := s.reader.ReadBatch(l.in)
		switch {
		case err == nil:
		case s != l.socket.Load():
			continue // replaced while we waited on it
		case l.isClosed():
			return net.ErrClosed
		default:
			return err
		}
		answered := false
		l.have, l.at = l.in[:0], 0
		for i := range n {
			if l.in[i].Path.Remote != l.relay {
				continue // nobody else has a say here
			}
			if wire.IsQUIC(l.in[i].Buf[:l.in[i].N]) {
				l.in[len(l.have)], l.in[i] = l.in[i], l.in[len(l.have)]
				l.have = l.in[:len(l.have)+1]
				continue
			}
			answered = true
			l.receive(&l.in[i])
		}
		if len(l.have) > 0 {
			l.received.Add(1)
			return nil
		}
		if answered && l.isBound() {
			return nil
		}
	}
}

// receive takes a message of leg messages.
func (l *leg) receive(m *udpio.Message) {
	for datagram := range m.Segments() {
		if wire.IsQUIC(datagram) {
			continue // behind a leg message in one run: lost, as any datagram may be
		}
		l.mu.Lock()
		due := l.binder.receive(datagram, time.Now())
		l.mu.Unlock()
		if due {
			l.wakeKeeper()
		}
	}
}

// take copies the next tunnel datagram into b. It returns its ECN bits.
// Leg messages that ended a run of tunnel datagrams are acted on.
func (l *leg) take(b []byte) (n int, ecn uint8, ok bool) {
	for len(l.have) > 0 {
		m := &l.have[0]
		step := m.SegSize
		if step <= 0 {
			step = m.N
		}
		end := min(m.N, l.at+step)
		datagram := m.Buf[l.at:end]
		l.at = end
		if end >= m.N {
			l.have, l.at = l.have[1:], 0
		}
		if !wire.IsQUIC(datagram) {
			l.receive(&udpio.Message{Buf: datagram, N: len(datagram)})
			continue
		}
		n = copy(b, datagram)
		l.feed.gave(n)
		return n, m.ECN, true
	}
	return 0, 0, false
}

// ReadFrom implements [net.PacketConn].
func (l *leg) ReadFrom(b []byte) (int, net.Addr, error) {
	l.feed.wait()
	for {
		if n, _, ok := l.take(b); ok {
			return n, virtualPeer(), nil
		}
		if err := l.fill(); err != nil {
			return 0, nil, err
		}
	}
}

// WriteTo implements [net.PacketConn]; all datagrams go to the relay.
func (l *leg) WriteTo(b []byte, _ net.Addr) (int, error) {
	return len(b), l.carry(udpio.Message{Buf: b, N: len(b)})
}

// carry sends a message of the tunnel, or holds it for a moment. The first after
// a quiet time, or after a look, wakes keep.
func (l *leg) carry(m udpio.Message) error {
	if l.sent.Add(1) == 1 {
		l.wakeKeeper()
	}
	m.Path.Remote = l.relay
	l.writeMu.Lock()
	defer l.writeMu.Unlock()
	if !l.isClosed() && l.outbox.hold(m) { // what is held later is never sent
		return nil
	}
	return l.sendLocked(m)
}

// send sends a message to the relay, and all that is held.
func (l *leg) send(m udpio.Message) error {
	m.Path.Remote = l.relay
	l.writeMu.Lock()
	defer l.writeMu.Unlock()
	return l.sendLocked(m)
}

// sendLocked sends what is held, and m. Only what path MTU discovery must know
// comes back as an error: for everything else the datagram counts as lost, and
// the connection outlives a network that is gone for a while.
func (l *leg) sendLocked(m udpio.Message) error {
	out := l.outbox.with(m)
	err := l.socket.Load().writer.WriteBatch(out)
	tooBig := out[len(out)-1].Status == udpio.TooBig && m.SegSize == 0
	l.outbox.sent()
	switch {
	case l.isClosed():
		return net.ErrClosed
	case err == nil && tooBig:
		return os.NewSyscallError("sendmsg", syscall.EMSGSIZE)
	}
	return nil
}

// flush sends what has been held for long enough.
func (l *leg) flush() {
	l.writeMu.Lock()
	defer l.writeMu.Unlock()
	l.outbox.armed = false
	if l.outbox.held > 0 {
		l.socket.Load().writer.WriteBatch(l.outbox.out[:l.outbox.held])
		l.outbox.sent()
	}
}

func (l *leg) isClosed() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// Close ends the session at the relay, as far as one datagram can, and closes
// the socket.
func (l *leg) Close() error {
	l.once.Do(func() {
		l.mu.Lock()
		unbind := l.binder.unbind(make([]byte, 0, wire.LegMessageSize))
		l.mu.Unlock()
		l.send(udpio.Message{Buf: unbind, N: len(unbind)})
		l.writeMu.Lock() // from here on carry holds nothing
		close(l.done)
		l.writeMu.Unlock()
		l.keeper.Wait()
		l.outbox.timer.Stop()
		l.socket.Load().conn.Close()
	})
	return nil
}

// LocalAddr implements [net.PacketConn]. Like the peer's, it never changes.
func (l *leg) LocalAddr() net.Addr { return virtualPeer() }

// SetReadDeadline implements [net.PacketConn].
func (l *leg) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	return l.socket.Load().conn.SetReadDeadline(t)
}

// SetDeadline implements [net.PacketConn].
func (l *leg) SetDeadline(t time.Time) error {
	return errors.Join(l.SetReadDeadline(t), l.SetWriteDeadline(t))
}

// SetWriteDeadline bounds how long writes wait for a network interface that
// takes nothing. It is for the end of a leg: a new socket does not inherit it.
func (l *leg) SetWriteDeadline(t time.Time) error { return l.socket.Load().conn.SetWriteDeadline(t) }

// SetReadBuffer keeps quic-go from resizing the buffer that newLeg asked for.
func (l *leg) SetReadBuffer(int) error { return nil }

// SetWriteBuffer does the same for the other one.
func (l *leg) SetWriteBuffer(int) error { return nil }
