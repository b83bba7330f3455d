package tunnel

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// ListenRetrying is Listen with a shortest pause of its own between registrations.
func ListenRetrying(ctx context.Context, cfg ListenConfig, retry time.Duration) (*Listener, error) {
	return listen(ctx, cfg, retry, waits{grace: evidenceGrace, stepUp: stepUpTime})
}

// ListenImpatient is Listen that gives devices less time.
func ListenImpatient(ctx context.Context, cfg ListenConfig, grace, stepUp time.Duration) (*Listener, error) {
	return listen(ctx, cfg, retryFirst, waits{grace: grace, stepUp: stepUp})
}

// Sessions is how many sessions the router has now.
func (l *Listener) Sessions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sessions)
}

// LocalAddr is the address of the leg's current socket.
func (t *Tunnel) LocalAddr() netip.AddrPort { return t.session.leg.socket.Load().conn.LocalAddr() }

// Offload is what the kernel does for the leg's current socket.
func (t *Tunnel) Offload() udpio.Offload { return t.session.leg.socket.Load().conn.Offload() }

// Joined tells whether full runs have been held to be joined.
func (t *Tunnel) Joined() bool {
	l := t.session.leg
	l.writeMu.Lock()
	defer l.writeMu.Unlock()
	return l.outbox.memory != nil
}

// BindTransport binds a leg and runs QUIC on it, as Dial and Listen do, for whatever a test wants to say there.
func BindTransport(ctx context.Context, relay netip.AddrPort, leg wire.LegID, secret wire.LegSecret) (t *quic.Transport, closed func(), err error) {
	s, err := bindSession(ctx, relay, leg, secret, nil, newWindowBudget(0))
	if err != nil {
		return nil, nil, err
	}
	return s.transport, func() { s.close("") }, nil
}

// VirtualPeer is the address that such a transport dials.
func VirtualPeer() net.Addr { return virtualPeer() }

// DialPairing opens a pairing session, for a device that wants to do in it what it may not.
func DialPairing(ctx context.Context, cfg PairConfig) (*Tunnel, error) {
	conn, err := dialRelay(ctx, cfg.Identity, cfg.URI.Relay, nil)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	s, err := openSession(ctx, conn, cfg.URI.Relay, nil, &wire.Open{Router: cfg.URI.Router, Purpose: wire.PurposePairing})
	if err != nil {
		return nil, err
	}
	none := &showing{err: net.ErrClosed, heard: make(chan struct{})} // a pairing session shows nothing
	close(none.heard)
	return &Tunnel{session: s, router: cfg.URI.Router, showing: none}, s.dial(ctx, cfg.Identity, cfg.URI.Router)
}
