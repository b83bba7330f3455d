package device

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/splice"
	"github.com/lethe-relay/lethe/tunnel"
)

// Link is a tunnel to a router that is opened when it is needed, and again
// when it has broken. It is safe for concurrent use.
type Link struct {
	// static
	identity *auth.Identity
	router   tunnel.Router

	// guarded by mu, which is held while dialling: whoever comes meanwhile
	// waits for the same tunnel
	mu     sync.Mutex
	tunnel *tunnel.Tunnel
	closed bool
}

// Link makes a link to the router; nothing is dialled yet.
func (s *Store) Link(r *Router) *Link {
	return &Link{identity: s.identity, router: r.Router}
}

// Tunnel returns the living tunnel, or dials a new one.
func (l *Link) Tunnel(ctx context.Context) (*tunnel.Tunnel, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, net.ErrClosed
	}
	if l.tunnel != nil {
		select {
		case <-l.tunnel.Done():
			l.tunnel.Close()
			l.tunnel = nil
		default:
			return l.tunnel, nil
		}
	}
	t, err := tunnel.Dial(ctx, tunnel.DialConfig{Identity: l.identity, Router: l.router})
	if err != nil {
		return nil, err
	}
	l.tunnel = t
	return t, nil
}

// Open opens a stream to a service of the router, in a new tunnel if need be.
func (l *Link) Open(ctx context.Context, service string) (splice.Conn, error) {
	t, err := l.Tunnel(ctx)
	if err != nil {
		return nil, err
	}
	stream, err := t.Open(ctx, service)
	if errors.Is(err, net.ErrClosed) { // it broke between the two calls
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

// Close ends the tunnel; the link opens no other.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.tunnel == nil {
		return nil
	}
	return l.tunnel.Close()
}
