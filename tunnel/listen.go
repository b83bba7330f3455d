package tunnel

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Device is a device as its router knows it: by its key, which TLS has proved,
// and by the grant that the router itself has signed.
type Device struct {
	Key   ed25519.PublicKey
	Grant auth.Grant
}

// ID is the device's ID.
func (d Device) ID() auth.DeviceID { return auth.DeviceIDOf(d.Key) }

// ListenConfig says who listens where, and who may come in.
type ListenConfig struct {
	Identity *auth.Identity // the router's
	Relay    auth.RelayURL  // with the token, unless the router is enrolled otherwise
	Version  string         // of the program, told to the relay

	// Admit has the last word about a device that shows a valid grant; false
	// means that the router no longer knows it. Nil admits all.
	Admit func(Device) bool

	// Revocations says which grants the router has taken back, in the form that
	// [auth.Revocations.Append] makes. The relay is told at each registration, and
	// by [Listener.Announce]. Nil means none.
	Revocations func() []byte

	// Pairing takes pairing sessions. Nil refuses them all.
	Pairing *Pairing

	// Control is called with every socket before it is bound, as in
	// [net.ListenConfig]. It may be nil.
	Control func(network, address string, c syscall.RawConn) error

	// Log gets events and numbers, never an identity or an address. Nil is silent.
	Log *slog.Logger
}

// Listener is the router's end of all its tunnels. It stays registered with
// the relay, whatever happens to either, until Close.
type Listener struct {
	// static
	cfg     ListenConfig
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	streams chan *Stream
	running sync.WaitGroup
	retry   time.Duration // the shortest pause between registrations

	// guarded by mu
	mu       sync.Mutex
	sessions map[*session]auth.DeviceID
	binding  int        // sessions on their way into the map
	conn     *relayConn // the registered connection; nil while there is none
}

// Listen registers the router with the relay and returns when that has been
// done once. While the relay can't be reached it keeps trying, until ctx ends.
//
// It returns at once what trying again would not mend: *auth.KeyMismatchError
// (another relay than the pinned one), [*UntrustedRelayError], or a
// [*RefusedError] such as not_enrolled.
func Listen(ctx context.Context, cfg ListenConfig) (*Listener, error) {
	return listen(ctx, cfg, retryFirst)
}

func listen(ctx context.Context, cfg ListenConfig, retry time.Duration) (*Listener, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Listener{cfg: cfg, retry: retry, streams: make(chan *Stream, acceptQueue), sessions: make(map[*session]auth.DeviceID)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	conn, err := l.firstRegistration(ctx)
	if err != nil {
		l.cancel()
		return nil, err
	}
	l.running.Go(func() { l.stayRegistered(conn) })
	return l, nil
}

// Accept returns the next stream that a device has opened, a *[Stream] that
// knows its service and device; the device's grant names the service. The
// stream has not been answered yet: the first Read or Write takes it, Refuse
// refuses it. After Close the error is [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case s := <-l.streams:
		return s, nil
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return streamAddr{l.cfg.Identity.RouterID().String()} }

// Disconnect ends all tunnels of a device at once and returns how many it ended.
func (l *Listener) Disconnect(device auth.DeviceID) int {
	l.mu.Lock()
	var ended []*session
	for s, of := range l.sessions {
		if of == device {
			ended = append(ended, s)
		}
	}
	l.mu.Unlock()
	for _, s := range ended {
		s.close(wire.CodeGrantRevoked)
	}
	return len(ended)
}

// Close ends the registration and all tunnels, and waits until everything that
// the Listener has started is gone.
func (l *Listener) Close() error {
	l.cancel()
	l.mu.Lock()
	var all []*session
	for s := range l.sessions {
		all = append(all, s)
	}
	l.mu.Unlock()
	for _, s := range all {
		s.close(wire.CodeShuttingDown)
	}
	l.running.Wait()
	return nil
}

// incoming answers one push of the relay.
func (l *Listener) incoming(conn *relayConn, stream *quic.Stream) {
	defer stream.Close()
	stream.SetDeadline(time.Now().Add(openTimeout))
	m, err := wire.Expect[*wire.Incoming](stream)
	if err != nil {
		wire.WriteMessage(stream, &wire.Error{Code: wire.CodeBadRequest})
		stream.CancelRead(0)
		return
	}
	device := Device{Key: ed25519.PublicKey(m.Device[:])}
	s, code := l.admit(conn, m, &device)
	if code != "" {
		l.cfg.Log.Warn("session refused", "reason", code)
		wire.WriteMessage(stream, &wire.Error{Code: code})
		readEnd(stream)
		return
	}
	if err := wire.WriteMessage(stream, &wire.Accept{}); err != nil {
		stream.CancelRead(0)
		l.forget(s)
		return
	}
	stream.Close()
	readEnd(stream)
	l.serve(s, device, m.Purpose)
}

// readEnd reads the end of a stream whose one message has been read. Until then
// the stream is not over for QUIC, and takes the place of another.
func readEnd(stream *quic.Stream) {
	stream.SetReadDeadline(time.Now().Add(farewellTimeout))
	stream.Read(make([]byte, 1))
	stream.CancelRead(0)
}

// admit is the router's own check of a session, and its word is final. What
// the relay says about the device counts for nothing but to find the grant.
func (l *Listener) admit(conn *relayConn, m *wire.Incoming, device *Device) (*session, wire.Code) {
	if code := l.check(m, device); code != "" {
		return nil, code
	}
	if !l.reserve() {
		return nil, wire.CodeTooManySessions
	}
	s, err := bindSession(l.ctx, conn.addr, m.Leg, m.Secret, l.cfg.Control)
	if err != nil {
		l.cfg.Log.Warn("leg not bound", "error", err)
	}
	if !l.enter(s, device.ID()) {
		return nil, wire.CodeInternal
	}
	// From here on Disconnect finds the session. Who was revoked just before
	// that, while the leg was being bound, is caught here.
	if m.Purpose == wire.PurposeTunnel && !l.admits(*device) {
		l.forget(s)
		return nil, wire.CodeGrantRevoked
	}
	return s, ""
}

// check decides about the device; it costs nothing but the router's time.
func (l *Listener) check(m *wire.Incoming, device *Device) wire.Code {
	if m.Purpose == wire.PurposePairing {
		if !l.cfg.Pairing.open() {
			return wire.CodePairingClosed
		}
		return ""
	}
	grant, err := auth.Verify(m.Grant, l.cfg.Identity.RouterID(), device.Key, time.Now())
	if err != nil {
		return auth.GrantCode(err)
	}
	device.Grant = grant
	if !l.admits(*device) {
		return wire.CodeGrantRevoked
	}
	return ""
}

func (l *Listener) admits(d Device) bool { return l.cfg.Admit == nil || l.cfg.Admit(d) }

// reserve takes one of the places for sessions, for a leg that is yet to be bound.
func (l *Listener) reserve() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.sessions)+l.binding >= maxSessions {
		return false
	}
	l.binding++
	return true
}

// enter turns a reserved place into a session's, or gives it up if there is
// none (nil) or the Listener is closed.
func (l *Listener) enter(s *session, of auth.DeviceID) bool {
	l.mu.Lock()
	l.binding--
	open := l.ctx.Err() == nil
	if s != nil && open {
		l.sessions[s] = of
	}
	l.mu.Unlock()
	if s != nil && !open {
		s.close("")
	}
	return s != nil && open
}

func (l *Listener) forget(s *session) {
	s.close("")
	l.mu.Lock()
	delete(l.sessions, s)
	l.mu.Unlock()
}

// serve runs a session until its tunnel ends.
func (l *Listener) serve(s *session, device Device, purpose wire.Purpose) {
	defer l.forget(s)
	if err := s.accept(l.ctx, l.cfg.Identity, device.Key); err != nil {
		l.cfg.Log.Warn("tunnel refused", "error", err)
		return
	}
	if purpose == wire.PurposePairing {
		l.cfg.Pairing.serve(s, device, l.cfg.Log)
		return
	}
	l.cfg.Log.Info("tunnel open")
	expiry := time.AfterFunc(time.Until(device.Grant.NotAfter), func() { s.close(wire.CodeGrantExpired) })
	defer expiry.Stop()
	for {
		qs, err := s.conn.AcceptStream(l.ctx)
		if err != nil {
			l.cfg.Log.Info("tunnel closed")
			return
		}
		l.running.Go(func() { l.header(qs, device) })
	}
}

// header reads which service a new stream is for, and hands the stream to Accept.
func (l *Listener) header(qs *quic.Stream, device Device) {
	qs.SetReadDeadline(time.Now().Add(headerTimeout))
	m, err := wire.Expect[*wire.ServiceOpen](qs)
	if err != nil {
		qs.CancelRead(0)
		qs.CancelWrite(0)
		return
	}
	qs.SetReadDeadline(time.Time{})
	s := newIncomingStream(qs, m.Service, device)
	if !device.Grant.Allows(m.Service) {
		s.Refuse(string(wire.CodeServiceNotGranted))
		return
	}
	select {
	case l.streams <- s:
	case <-qs.Context().Done(): // the device gave up, or its tunnel ended, before anybody took the stream
		s.Abort()
	case <-l.ctx.Done():
		s.Abort()
	}
}
