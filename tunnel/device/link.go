package device

import (
	"context"
	"net"
	"slices"
	"sync"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/splice"
	"github.com/lethe-relay/lethe/tunnel"
)

// Link is a tunnel to a router that is opened when it is needed, and again
// when it has broken. It is safe for concurrent use.
type Link struct {
	// static
	store    *Store
	identity *auth.Identity
	name     string          // of the router
	id       auth.RouterID   // and its ID
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc

	// turn holds one token: whoever has it may look at router and tunnel, and
	// dial. Who comes meanwhile waits for the same tunnel, as long as its context
	// lets it.
	turn   chan struct{}
	router tunnel.Router // as it was stored at the last dialling
	tunnel *tunnel.Tunnel
	left   []*tunnel.Tunnel // stalled ones that a new one was dialled beside; their streams may yet recover

	// guarded by mu
	mu     sync.Mutex
	unkept error // why the latest fresh grant is not stored
}

// Link makes a link to the router; nothing is dialled yet. The caller closes it.
// Its tunnels show the evidence of the store's Environment.
func (s *Store) Link(r *Router) *Link {
	l := &Link{store: s, identity: s.identity, name: r.Name, id: r.ID, router: r.Router, turn: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.turn <- struct{}{}
	return l
}

// Tunnel returns the living tunnel, or dials a new one: also when the old one has
// stalled, because new streams should not wait for what may never recover.
func (l *Link) Tunnel(ctx context.Context) (*tunnel.Tunnel, error) {
	select {
	case <-l.turn:
		defer func() { l.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
	if l.tunnel != nil && l.tunnel.Err() == nil && !l.tunnel.Stalled() {
		return l.tunnel, nil
	}
	return l.dial(ctx)
}

// dial puts a new tunnel in the place of the old one, which ends by itself if
// it has not ended; the caller has the turn. Close breaks dialling off.
func (l *Link) dial(ctx context.Context) (*tunnel.Tunnel, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(l.ctx, cancel)
	defer stop()
	t, err := tunnel.Dial(ctx, l.config())
	if l.ctx.Err() != nil {
		if err == nil {
			t.Close()
		}
		return nil, net.ErrClosed
	}
	if err != nil {
		return nil, err
	}
	l.left = slices.DeleteFunc(l.left, func(t *tunnel.Tunnel) bool { return t.Err() != nil })
	if l.tunnel != nil {
		l.left = append(l.left, l.tunnel)
	}
	l.tunnel = t
	return t, nil
}

// config is how to dial now; the caller has the turn. The folder has the latest
// grant, whichever program of this device was given it.
func (l *Link) config() tunnel.DialConfig {
	if r, err := l.store.Router(l.name); err == nil && r.ID == l.id {
		l.router = r.Router
	}
	login, _, _ := l.store.Login(l.router.Relay) // without one the account is missing, which the policy judges
	return tunnel.DialConfig{
		Identity: l.identity, Router: l.router, Environment: l.store.Environment, IDToken: login.IDToken,
		Renewed: l.renewed,
	}
}

// renewed takes a fresh grant; the next dialling finds it in the folder.
func (l *Link) renewed(grant []byte) {
	err := l.keep(grant)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unkept = err
}

// Kept is nil unless the latest fresh grant of the router could not be stored;
// it then says why. The old grant goes on being used.
func (l *Link) Kept() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unkept
}

// Open opens a stream to a service of the router, in a new tunnel if need be.
func (l *Link) Open(ctx context.Context, service string) (splice.Conn, error) {
	t, err := l.Tunnel(ctx)
	if err != nil {
		return nil, err
	}
	stream, err := t.Open(ctx, service)
	if err != nil && t.Err() != nil { // it broke between the two calls
		if t, err = l.Tunnel(ctx); err != nil {
			return nil, err
		}
		stream, err = t.Open(ctx, service)
	}
	if err != nil {
		return nil, err
	}
	return stream, nil
}

// Close ends the tunnel, and breaks dialling off; the link opens no other.
func (l *Link) Close() error {
	l.cancel()
	<-l.turn
	defer func() { l.turn <- struct{}{} }()
	for _, t := range l.left {
		t.Close()
	}
	if l.tunnel == nil {
		return nil
	}
	return l.tunnel.Close()
}
