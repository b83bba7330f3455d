package forward

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// patience is how long a test waits for a datagram that must come.
const patience = 10 * time.Second

func testConfig() Config {
	return Config{
		Listen:      netip.MustParseAddrPort("127.0.0.1:0"),
		Sockets:     2,
		MaxSessions: 100,
		IdleTimeout: time.Minute,
		OneWayBytes: 1 << 20,
	}
}

// running is a plane that carries datagrams, with a leg that is never bound.
type running struct {
	*Plane
	spare *Leg
	stop  func() // waits until every counter is written
}

func start(t testing.TB, change func(*Config)) running {
	t.Helper()
	cfg := testConfig()
	if change != nil {
		change(&cfg)
	}
	p, err := Listen(cfg)
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Skipf("this machine has no %s: %v", cfg.Listen, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return run(t, p)
}

func run(t testing.TB, p *Plane) running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	r := running{Plane: p, stop: sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})}
	t.Cleanup(r.stop)
	r.spare = r.session(t, Hooks{}).Device
	return r
}

func (r running) session(t testing.TB, hooks Hooks) *Session {
	t.Helper()
	s, err := r.NewSession(hooks)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dropped returns the counters of the reasons that have any.
func (r running) dropped() map[DropReason]uint64 { return nonZero(r.Stats().Dropped) }

func nonZero[R comparable](all map[R]uint64) map[R]uint64 {
	some := make(map[R]uint64)
	for why, n := range all {
		if n > 0 {
			some[why] = n
		}
	}
	return some
}

// endpoint is a device or router as the relay sees it: a socket and a leg.
type endpoint struct {
	t      testing.TB
	conn   *udpio.Conn
	reader *udpio.Reader
	in     []udpio.Message
	relay  udpio.Addr

	spare   *Leg
	id      wire.LegID
	secret  wire.LegSecret
	counter uint64
}

// endpoint makes one on ip that asks for leg; the leg is not bound yet.
func (r running) endpoint(t testing.TB, ip string, leg *Leg) *endpoint {
	t.Helper()
	conn, err := udpio.Listen(netip.AddrPortFrom(netip.MustParseAddr(ip), 0), udpio.Config{})
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Skipf("this machine has no %s: %v", ip, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	to := r.LocalAddr()
	if to.Addr().IsUnspecified() {
		to = netip.AddrPortFrom(netip.MustParseAddr(ip), to.Port())
	}
	return &endpoint{
		t: t, conn: conn, reader: conn.NewReader(1), in: udpio.NewBatch(1), relay: udpio.AddrFrom(to),
		spare: r.spare, id: leg.ID(), secret: leg.Secret(),
	}
}

// pair binds both legs of a new session.
func (r running) pair(t testing.TB, deviceIP, routerIP string) (device, router *endpoint, s *Session) {
	t.Helper()
	s = r.session(t, Hooks{})
	device, router = r.endpoint(t, deviceIP, s.Device), r.endpoint(t, routerIP, s.Router)
	device.bind()
	router.bind()
	return device, router, s
}

func (e *endpoint) addr() udpio.Addr { return udpio.AddrFrom(e.conn.LocalAddr()) }

// send writes b in datagrams of segSize, with these ECN bits.
func (e *endpoint) send(b []byte, segSize int, ecn uint8) {
	e.t.Helper()
	ms := []udpio.Message{{Buf: b, N: len(b), SegSize: segSize, ECN: ecn, Path: udpio.Path{Remote: e.relay}}}
	if err := e.conn.NewWriter(1).WriteBatch(ms); err != nil || ms[0].Unsent != 0 {
		e.t.Fatalf("send: %v, %v", err, ms[0].Status)
	}
}

func (e *endpoint) sendOne(b []byte) {
	e.t.Helper()
	e.send(b, len(b), 0)
}

// read returns the next message; it is good until the next call.
func (e *endpoint) read() *udpio.Message {
	e.t.Helper()
	e.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := e.reader.ReadBatch(e.in); err != nil {
		e.t.Fatalf("nothing came: %v", err)
	}
	return &e.in[0]
}

// want reads messages until it has what was sent, byte for byte.
func (e *endpoint) want(sent []byte) (messages []udpio.Message) {
	e.t.Helper()
	var got []byte
	for len(got) < len(sent) {
		m := *e.read()
		got = append(got, m.Buf[:m.N]...)
		m.Buf = nil
		messages = append(messages, m)
	}
	if !bytes.Equal(got, sent) {
		e.t.Fatalf("%d bytes came, and not those %d that were sent", len(got), len(sent))
	}
	return messages
}

// message makes a leg message with the next counter.
func (e *endpoint) message(typ wire.Type, cookie wire.Cookie) []byte {
	e.counter++
	return wire.LegMessage{Type: typ, Leg: e.id, Counter: e.counter, Cookie: cookie}.Append(nil, &e.secret)
}

// ask sends a BIND and returns the answer, which must be of that type.
func (e *endpoint) ask(cookie wire.Cookie, want wire.Type) wire.LegMessage {
	e.t.Helper()
	e.sendOne(e.message(wire.TypeBind, cookie))
	return e.expect(want, e.id, e.counter, &e.secret)
}

func (e *endpoint) expect(want wire.Type, id wire.LegID, counter uint64, secret *wire.LegSecret) wire.LegMessage {
	e.t.Helper()
	b := e.read()
	m, err := wire.ParseLegMessage(b.Buf[:b.N])
	if err != nil || !wire.VerifyLegMessage(b.Buf[:b.N], secret) || m.Type != want || m.Leg != id || m.Counter != counter {
		e.t.Fatalf("got %d bytes %+v (%v), want %v of leg %x with counter %d", b.N, m, err, want, id, counter)
	}
	if b.Path.Remote != e.relay {
		e.t.Fatalf("%v was answered from %v", e.relay, b.Path.Remote)
	}
	return m
}

// bind binds the leg to the endpoint's address.
func (e *endpoint) bind() {
	e.t.Helper()
	e.ask(e.ask(wire.Cookie{}, wire.TypeCookie).Cookie, wire.TypeBound)
}

// quiet tells that everything sent before has been dealt with and that nothing
// was answered: the next that comes is the answer to a question asked now.
// The relay deals with the datagrams of one address in the order they came.
func (e *endpoint) quiet() {
	e.t.Helper()
	secret := e.spare.Secret()
	e.sendOne(wire.LegMessage{Type: wire.TypeBind, Leg: e.spare.ID(), Counter: 77}.Append(nil, &secret))
	e.expect(wire.TypeCookie, e.spare.ID(), 77, &secret)
}

// payload is n bytes of datagrams of segSize, each with QUIC's bit and a long
// header, no two alike.
func payload(n, segSize int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
		if i%segSize == 0 {
			b[i] |= 0xc0
		}
	}
	return b
}
