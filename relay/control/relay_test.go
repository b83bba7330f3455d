package control

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"go.uber.org/goleak"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// sessionIdle is the idle time-out that test relays are made with.
const sessionIdle = 90 * time.Second

// testRelay is both planes of a relay on loopback.
type testRelay struct {
	*Server
	plane *forward.Plane
	id    *auth.Identity
	token auth.Token
	log   *logbook

	stopServe func() // ends Serve and all its requests
	stop      func() // and the plane then
}

// startRelay runs a relay. change may alter the configuration or the Server
// before it serves.
func startRelay(t testing.TB, limits func(*Limits), change func(*Server)) *testRelay {
	t.Helper()
	return startRelayOn(t, "127.0.0.1:0", limits, change)
}

func startRelayOn(t testing.TB, listen string, limits func(*Limits), change func(*Server)) *testRelay {
	t.Helper()
	cfg := Config{
		IdleTimeout: sessionIdle,
		Limits: Limits{
			Routers: 10, SessionsPerRouter: 10, SessionsPerDevice: 10,
			OpensPerMinutePerDevice: 6000, RequestsPerMinute: 6000, ConnectionsPerSource: 100,
			StepUpBytes: 64 << 10, StepUpTime: time.Minute,
		},
	}
	if limits != nil {
		limits(&cfg.Limits)
	}
	book := &logbook{lines: make(chan string, 1000)}
	token, err := auth.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Token, cfg.Log = token, telemetry.New(slog.New(slog.NewTextHandler(book, nil)))
	cfg.Identity = identity(t)
	cfg.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t, cfg.Identity)}}
	cfg.Plane, err = forward.Listen(forward.Config{
		Listen: netip.MustParseAddrPort(listen), Sockets: 2,
		MaxSessions: 20, IdleTimeout: sessionIdle, OneWayBytes: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &testRelay{Server: New(cfg), plane: cfg.Plane, id: cfg.Identity, token: token, log: book}
	r.timeouts.settle = 50 * time.Millisecond
	if change != nil {
		change(r.Server)
	}
	r.run(t)
	t.Cleanup(func() { book.discreet(t) })
	t.Cleanup(r.stop)
	return r
}

func (r *testRelay) run(t testing.TB) {
	serveCtx, stopServe := context.WithCancel(context.Background())
	planeCtx, stopPlane := context.WithCancel(context.Background())
	var serve, plane sync.WaitGroup
	plane.Go(func() {
		if err := r.plane.Run(planeCtx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	serve.Go(func() {
		if err := r.Serve(serveCtx); err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	r.stopServe = func() {
		stopServe()
		serve.Wait()
	}
	r.stop = sync.OnceFunc(func() {
		r.stopServe()
		stopPlane()
		plane.Wait()
	})
}

// logbook collects what the relay logs.
type logbook struct {
	lines chan string

	mu  sync.Mutex
	all strings.Builder
}

func (b *logbook) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all.Write(line)
	b.lines <- string(line)
	return len(line), nil
}

// wait returns when an event has been logged.
func (b *logbook) wait(t testing.TB, event string) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case line := <-b.lines:
			if strings.Contains(line, event) {
				return
			}
		case <-late:
			t.Fatalf("%q was not logged", event)
		}
	}
}

// discreet fails if a log names anybody.
func (b *logbook) discreet(t testing.TB) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, secret := range []string{"127.0.", "127.16.", "::1", "alice", "cafe"} {
		if strings.Contains(b.all.String(), secret) {
			t.Errorf("the log holds an address, a person or a network:\n%s", b.all.String())
		}
	}
}

func identity(t testing.TB) *auth.Identity {
	t.Helper()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func certificate(t testing.TB, id *auth.Identity) tls.Certificate {
	t.Helper()
	cert, err := id.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// client is one end of a control connection, with a socket of its own.
type client struct {
	*quic.Conn
	id     *auth.Identity // nil if the test brought a certificate of its own
	socket *net.UDPConn
}

func (r *testRelay) dial(t testing.TB, id *auth.Identity) *client {
	t.Helper()
	c := r.dialWith(t, certificate(t, id))
	c.id = id
	return c
}

func (r *testRelay) dialWith(t testing.TB, certs ...tls.Certificate) *client {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	transport := &quic.Transport{Conn: socket}
	t.Cleanup(func() { transport.Close(); socket.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := transport.Dial(ctx, r.udpAddr(), clientTLS(certs...), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseWithError(0, "") })
	return &client{Conn: conn, socket: socket}
}

// udpAddr is where the relay is reached over IPv4.
func (r *testRelay) udpAddr() *net.UDPAddr {
	return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(r.plane.LocalAddr().Port())}
}

func clientTLS(certs ...tls.Certificate) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{wire.ALPNControl}, Certificates: certs}
}

// stream opens a stream that does not outlast the test's patience.
func (c *client) stream(t testing.TB) *quic.Stream {
	t.Helper()
	s, err := c.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	s.SetDeadline(time.Now().Add(patience))
	return s
}

// ask sends a request and returns the answer, or the error in its place.
func ask[M wire.Message](t testing.TB, c *client, request wire.Message) (M, error) {
	t.Helper()
	s := c.stream(t)
	if err := wire.WriteMessage(s, request); err != nil {
		t.Fatal(err)
	}
	s.Close()
	return wire.Expect[M](s)
}

// askRaw sends bytes as a request and returns the error that answers them.
func askRaw(t testing.TB, c *client, request []byte, end bool) error {
	t.Helper()
	s := c.stream(t)
	if _, err := s.Write(request); err != nil {
		t.Fatal(err)
	}
	if end {
		s.Close()
	}
	_, err := wire.Expect[*wire.Opened](s)
	return err
}

// closedWith waits for the end of the connection and returns the code that the
// relay closed it with.
func (c *client) closedWith(t testing.TB) wire.Code {
	t.Helper()
	select {
	case <-c.Context().Done():
	case <-time.After(patience):
		t.Fatal("the connection is still open")
	}
	var closed *quic.ApplicationError
	if err := context.Cause(c.Context()); !asError(err, &closed) || !closed.Remote {
		t.Fatalf("the connection ended with %v, not by the relay", err)
	}
	return wire.CodeOfClose(uint64(closed.ErrorCode))
}

// testRouter is a registered router that answers as the test says.
type testRouter struct {
	*client
	incoming chan *wire.Incoming
	moved    chan *wire.Moved
}

// accept is the answer of a router that takes every session.
func accept(s *quic.Stream, _ *wire.Incoming) { wire.WriteMessage(s, &wire.Accept{}) }

// register makes a router present.
func (r *testRelay) register(t testing.TB, id *auth.Identity, answer func(*quic.Stream, *wire.Incoming)) *testRouter {
	t.Helper()
	return r.registerWith(t, id, answer, func(s *quic.Stream) { wire.WriteMessage(s, &wire.Accept{}) })
}

// registerWith makes a router present that also has a say in what it answers to moves.
func (r *testRelay) registerWith(t testing.TB, id *auth.Identity, answer func(*quic.Stream, *wire.Incoming), answerMove func(*quic.Stream)) *testRouter {
	t.Helper()
	rt := &testRouter{client: r.dial(t, id), incoming: make(chan *wire.Incoming, 100), moved: make(chan *wire.Moved, 100)}
	if _, err := ask[*wire.Registered](t, rt.client, &wire.Register{Token: r.token[:]}); err != nil {
		t.Fatal(err)
	}
	go rt.serve(answer, answerMove)
	return rt
}

func (rt *testRouter) serve(answer func(*quic.Stream, *wire.Incoming), answerMove func(*quic.Stream)) {
	for {
		s, err := rt.AcceptStream(context.Background())
		if err != nil {
			return
		}
		s.SetDeadline(time.Now().Add(patience))
		m, err := wire.ReadMessage(s)
		if err != nil {
			return
		}
		if _, err := s.Read(make([]byte, 1)); err != io.EOF {
			return // what the relay asks must end with its message
		}
		switch m := m.(type) {
		case *wire.Incoming:
			rt.incoming <- m
			answer(s, m)
		case *wire.Moved:
			rt.moved <- m
			answerMove(s)
		}
		s.Close()
	}
}

// next returns the next session that the relay has offered.
func (rt *testRouter) next(t testing.TB) *wire.Incoming {
	t.Helper()
	select {
	case m := <-rt.incoming:
		return m
	case <-time.After(patience):
		t.Fatal("the relay offered no session")
		return nil
	}
}

// nextMove returns what the relay says next of a device's network.
func (rt *testRouter) nextMove(t testing.TB) *wire.Moved {
	t.Helper()
	select {
	case m := <-rt.moved:
		return m
	case <-time.After(patience):
		t.Fatal("the relay told of no move")
		return nil
	}
}

// grant is one of router's for device, good for an hour from now.
func grant(t testing.TB, router, device *auth.Identity) []byte {
	t.Helper()
	return grantFrom(t, router, device, time.Now().Add(-time.Minute), time.Hour)
}

func grantFrom(t testing.TB, router, device *auth.Identity, from time.Time, lasts time.Duration) []byte {
	t.Helper()
	return issue(t, router, auth.Grant{Device: device.PublicKey(), NotBefore: from, NotAfter: from.Add(lasts)})
}

// issue signs a grant of all services.
func issue(t testing.TB, router *auth.Identity, g auth.Grant) []byte {
	t.Helper()
	g.Role, g.Services = auth.RoleOwner, []string{auth.AllServices}
	raw, err := auth.Issue(router, g, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// open asks for a session with a good grant.
func (c *client) open(t testing.TB, router *auth.Identity) (*wire.Opened, error) {
	t.Helper()
	return ask[*wire.Opened](t, c, &wire.Open{Router: router.RouterID(), Grant: grant(t, router, c.id)})
}
