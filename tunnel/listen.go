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

	// Judging judges what devices show of their environment. Nil asks for nothing
	// and allows all that grants allow.
	Judging *Judging

	// Pairing takes pairing sessions. Nil refuses them all.
	Pairing *Pairing

	// Control is called with every socket before it is bound, as in
	// [net.ListenConfig], and keeps nothing of c. It may be nil.
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
	waits   waits
	windows *windowBudget // of all tunnels

	// guarded by mu
	mu       sync.Mutex
	sessions map[*session]*guest
	binding  int        // sessions on their way into the map
	conn     *relayConn // the registered connection; nil while there is none
}

// guest is whom a session is for.
type guest struct {
	device auth.DeviceID
	leg    wire.LegID
	moved  mailbox[Vouched] // what the relay says of the device's new network
}

// Listen registers the router with the relay and returns when that has been
// done once. While the relay can't be reached it keeps trying, until ctx ends.
//
// It returns at once what trying again would not mend: *auth.KeyMismatchError
// (another relay than the pinned one), [*UntrustedRelayError], or a
// [*RefusedError] such as not_enrolled.
func Listen(ctx context.Context, cfg ListenConfig) (*Listener, error) {
	return listen(ctx, cfg, retryFirst, waits{grace: evidenceGrace, stepUp: stepUpTime})
}

func listen(ctx context.Context, cfg ListenConfig, retry time.Duration, waits waits) (*Listener, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Listener{
		cfg: cfg, retry: retry, waits: waits, windows: newWindowBudget(ownMemory()),
		streams: make(chan *Stream, acceptQueue), sessions: make(map[*session]*guest),
	}
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
		if of.device == device {
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

// admit is the router's own check of a session, and its word is final. What
// the relay says about the device counts for nothing but to find the grant.
func (l *Listener) admit(conn *relayConn, m *wire.Incoming, device *Device, moved mailbox[Vouched]) (*session, wire.Code) {
	if code := l.check(m, device); code != "" {
		return nil, code
	}
	if !l.reserve() {
		return nil, wire.CodeTooManySessions
	}
	s, err := bindSession(l.ctx, conn.addr, m.Leg, m.Secret, l.cfg.Control, l.windows)
	if err != nil {
		l.cfg.Log.Warn("leg not bound", "error", err)
	} else if asked, receive, send := s.leg.buffers(); min(receive, send) < asked {
		l.cfg.Log.Debug("the kernel gives smaller socket buffers than asked for: see net.core.rmem_max and wmem_max", "asked", asked, "receive", receive, "send", send)
	}
	if !l.enter(s, &guest{device: device.ID(), leg: m.Leg, moved: moved}) {
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
func (l *Listener) enter(s *session, of *guest) bool {
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

// servePairing runs a session for pairing until its tunnel ends.
func (l *Listener) servePairing(s *session, device Device) {
	defer l.forget(s)
	if err := l.handshake(s, device); err == nil {
		l.cfg.Pairing.serve(s, device, l.cfg.Log)
	}
}

// handshake completes the tunnel with this device only.
func (l *Listener) handshake(s *session, device Device) error {
	err := s.accept(l.ctx, l.cfg.Identity, device.Key)
	if err != nil {
		l.cfg.Log.Warn("tunnel refused", "error", err)
	}
	return err
}

// serve runs a session until its tunnel ends.
func (l *Listener) serve(s *session, on Case, moved mailbox[Vouched]) {
	defer l.forget(s)
	if err := l.handshake(s, on.Device); err != nil {
		return
	}
	h, err := l.hear(s, on, moved)
	if err != nil {
		l.cfg.Log.Warn("tunnel not judged", "error", streamError("device", err))
		return
	}
	l.cfg.Log.Info("tunnel open", "verdict", h.ruling.Verdict.String())
	l.running.Go(h.read)
	l.running.Go(h.run)
	expiry := time.AfterFunc(time.Until(on.Device.Grant.NotAfter), func() { s.close(wire.CodeGrantExpired) })
	defer expiry.Stop()
	for {
		qs, err := s.conn.AcceptStream(l.ctx)
		if err != nil {
			l.cfg.Log.Info("tunnel closed")
			return
		}
		l.running.Go(func() { l.header(qs, on.Device, h) })
	}
}

// header reads what a new stream is for: a confirmation, or a service.
func (l *Listener) header(qs *quic.Stream, device Device, h *hearing) {
	qs.SetReadDeadline(time.Now().Add(headerTimeout))
	m, _ := wire.ReadMessage(qs)
	qs.SetReadDeadline(time.Time{})
	switch m := m.(type) {
	case *wire.ServiceOpen:
		l.offer(newIncomingStream(qs, m.Service, device), h)
	case *wire.Confirm:
		h.confirm(qs, m.PIN)
	default:
		qs.CancelRead(0)
		qs.CancelWrite(0)
	}
}

// offer hands a stream that its service may get to Accept.
func (l *Listener) offer(s *Stream, h *hearing) {
	if !s.device.Grant.Allows(s.service) {
		s.Refuse(string(wire.CodeServiceNotGranted))
		return
	}
	if refused := h.refusal(s.service); refused != nil {
		s.refuse(refused)
		return
	}
	select {
	case l.streams <- s:
	case <-s.qs.Context().Done(): // the device gave up, or its tunnel ended, before anybody took the stream
		s.Abort()
	case <-l.ctx.Done():
		s.Abort()
	}
}
