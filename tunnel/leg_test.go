package tunnel

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// legPatience is how long a test waits for what must come.
const legPatience = 5 * time.Second

// fakeRelay answers BINDs as a relay does, and sends tunnel datagrams back to where they came from.
type fakeRelay struct {
	conn   *udpio.Conn
	secret wire.LegSecret
	mute   atomic.Bool              // answers nothing
	bound  chan netip.AddrPort      // where each BIND that was accepted came from
	unbind chan struct{}            // gets one for the UNBIND
	writer *udpio.Writer            // owned by run
	known  map[netip.AddrPort]uint8 // owned by run: addresses that have got a cookie
}

func newFakeRelay(t testing.TB, listen string) *fakeRelay {
	t.Helper()
	conn, err := udpio.Listen(netip.MustParseAddrPort(listen), udpio.Config{BufferBytes: legBuffer})
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeRelay{conn: conn, secret: wire.LegSecret{1}, bound: make(chan netip.AddrPort, 100),
		unbind: make(chan struct{}, 1), writer: conn.NewWriter(1), known: make(map[netip.AddrPort]uint8)}
	var running sync.WaitGroup
	running.Go(f.run)
	t.Cleanup(func() {
		conn.Close()
		running.Wait()
	})
	return f
}

func (f *fakeRelay) run() {
	reader, batch := f.conn.NewReader(1), udpio.NewBatch(1)
	for {
		if _, err := reader.ReadBatch(batch); err != nil {
			return
		}
		if f.mute.Load() || !wire.IsQUIC(batch[0].Buf[:1]) && !f.answer(&batch[0]) {
			continue
		}
		if err := f.writer.WriteBatch(batch); err != nil {
			return
		}
	}
}

// answer turns a BIND into its answer.
func (f *fakeRelay) answer(m *udpio.Message) bool {
	q, err := wire.ParseLegMessage(m.Buf[:m.N])
	if err != nil || !wire.VerifyLegMessage(m.Buf[:m.N], &f.secret) {
		return false
	}
	from := m.Path.Remote.AddrPort()
	switch {
	case q.Type == wire.TypeUnbind:
		f.unbind <- struct{}{}
		return false
	case q.Cookie == wire.Cookie{} || q.Cookie[0] != f.known[from]:
		f.known[from] = uint8(len(f.known) + 1)
		q.Type, q.Cookie = wire.TypeCookie, wire.Cookie{f.known[from]}
	default:
		q.Type, q.Cookie = wire.TypeBound, wire.Cookie{}
		f.bound <- from
	}
	m.N = len(q.Append(m.Buf[:0], &f.secret))
	return true
}

// newBoundLeg makes a leg that the fake relay has bound.
func newBoundLeg(t testing.TB, f *fakeRelay) *leg {
	t.Helper()
	l, err := newLeg(f.conn.LocalAddr(), testLeg, f.secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := l.bind(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := <-f.bound; got.Port() != l.socket.Load().conn.LocalAddr().Port() {
		t.Fatalf("bound at %v", got)
	}
	return l
}

// quicDatagram is something that has QUIC's fixed bit.
func quicDatagram(size int, mark byte) []byte {
	return append([]byte{0x40}, bytes.Repeat([]byte{mark}, size-1)...)
}

// wantRead reads one datagram.
func wantRead(t *testing.T, l *leg, want []byte) {
	t.Helper()
	l.SetReadDeadline(time.Now().Add(legPatience))
	b := make([]byte, 2000)
	n, from, err := l.ReadFrom(b)
	if err != nil || !bytes.Equal(b[:n], want) || from.String() != virtualPeer().String() {
		t.Fatalf("%.20x… from %v, %v; want %.20x…", b[:n], from, err, want)
	}
}

func TestLeg(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(listen, func(t *testing.T) {
			f := newFakeRelay(t, listen)
			l := newBoundLeg(t, f)
			l.WriteTo(quicDatagram(1200, 1), nil)
			wantRead(t, l, quicDatagram(1200, 1))
			l.Close()
			<-f.unbind
			if _, _, err := l.ReadFrom(make([]byte, 10)); err != net.ErrClosed {
				t.Errorf("ReadFrom after Close: %v", err)
			}
			if _, err := l.WriteTo(quicDatagram(10, 1), nil); err != net.ErrClosed {
				t.Errorf("WriteTo after Close: %v", err)
			}
			if err := l.rebind(); err != net.ErrClosed {
				t.Errorf("rebind after Close: %v", err)
			}
		})
	}
}

// TestLegNotBound: bind gives up when its context ends, and says what the matter is.
func TestLegNotBound(t *testing.T) {
	f := newFakeRelay(t, "127.0.0.1:0")
	f.mute.Store(true)
	l, err := newLeg(f.conn.LocalAddr(), testLeg, f.secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cause := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(context.Background(), 10*time.Millisecond, cause)
	defer cancel()
	if err := l.bind(ctx); !errors.Is(err, ErrLegNotBound) || !errors.Is(err, cause) {
		t.Errorf("got %v, want ErrLegNotBound and the cause", err)
	}
}

// TestLegStrangers: only the relay's datagrams are read.
func TestLegStrangers(t *testing.T) {
	l := newBoundLeg(t, newFakeRelay(t, "127.0.0.1:0"))
	stranger, err := net.Dial("udp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), l.socket.Load().conn.LocalAddr().Port()).String())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	for range 3 {
		stranger.Write(quicDatagram(100, 66))
		stranger.Write([]byte("no QUIC"))
	}
	l.WriteTo(quicDatagram(100, 1), nil)
	wantRead(t, l, quicDatagram(100, 1))
}

// TestLegRebind: the reader goes on with the new socket, to which the relay's BOUND has come.
func TestLegRebind(t *testing.T) {
	f := newFakeRelay(t, "127.0.0.1:0")
	l := newBoundLeg(t, f)
	read := make(chan []byte)
	go func() {
		b := make([]byte, 2000)
		n, _, _ := l.ReadFrom(b)
		read <- b[:n]
	}()
	before := l.socket.Load().conn.LocalAddr()
	if err := l.rebind(); err != nil {
		t.Fatal(err)
	}
	if after := <-f.bound; after.Port() == before.Port() {
		t.Errorf("still bound at %v", after)
	}
	l.WriteTo(quicDatagram(50, 7), nil)
	if got := <-read; !bytes.Equal(got, quicDatagram(50, 7)) {
		t.Errorf("read %x", got)
	}
}

// TestLegSilence: a leg that sends and hears nothing asks within a second, long before its keep-alive, and then
// replaces its socket.
func TestLegSilence(t *testing.T) {
	t.Parallel() // it mostly waits
	f := newFakeRelay(t, "127.0.0.1:0")
	l := newBoundLeg(t, f)
	first := l.socket.Load()
	read := make(chan struct{}, 1)
	go func() {
		for {
			if _, _, err := l.ReadFrom(make([]byte, 2000)); err != nil {
				return
			}
			read <- struct{}{}
		}
	}()
	l.WriteTo(quicDatagram(50, 7), nil)
	<-read
	<-f.bound // asked at the end of the burst
	f.mute.Store(true)
	began := time.Now()
	l.WriteTo(quicDatagram(50, 8), nil)
	awaitLeg(t, func() bool { return l.socket.Load() != first })
	least := bindSilence + (1+2+4)*bindFirst
	if took := time.Since(began); took < least || took > least+bindSilence+time.Second {
		t.Errorf("the socket was replaced after %v, want %v", took, least)
	}
}

func awaitLeg(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(legPatience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("it did not happen")
		}
	}
}

// TestLegTooBig: what path MTU discovery has to know comes through, and nothing else does.
func TestLegTooBig(t *testing.T) {
	l := newBoundLeg(t, newFakeRelay(t, "127.0.0.1:0"))
	_, err := l.WriteTo(quicDatagram(65600, 1), nil)
	var syscallErr *os.SyscallError
	if !errors.As(err, &syscallErr) || syscallErr.Err.Error() != "message too long" {
		t.Errorf("got %v, want EMSGSIZE", err)
	}
	l.SetWriteDeadline(time.Unix(1, 0)) // an interface that takes nothing
	if n, err := l.WriteTo(quicDatagram(100, 1), nil); n != 100 || err != nil {
		t.Errorf("got %d, %v; a datagram that can't be sent counts as lost", n, err)
	}
}

// TestLegCloseMeanwhile closes a leg while it is written, read and moved.
func TestLegCloseMeanwhile(t *testing.T) {
	for range 20 {
		l := newBoundLeg(t, newFakeRelay(t, "127.0.0.1:0"))
		var others sync.WaitGroup
		others.Go(func() {
			for _, err := l.WriteTo(quicDatagram(1000, 1), nil); err == nil; {
				_, err = l.WriteTo(quicDatagram(1000, 1), nil)
			}
		})
		others.Go(func() {
			for _, _, err := l.ReadFrom(make([]byte, 2000)); err == nil; {
				_, _, err = l.ReadFrom(make([]byte, 2000))
			}
		})
		for range 3 {
			others.Go(func() { l.rebind() })
		}
		others.Go(func() { l.Close() })
		others.Wait()
		if _, err := l.socket.Load().reader.ReadBatch(l.in); err != net.ErrClosed {
			t.Fatalf("the last socket: %v, want it closed", err)
		}
	}
}
