package device

import (
	"context"
	"net"

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
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc

	// turn holds one token: whoever has it may look at tunnel, and dial. Who
	// comes meanwhile waits for the same tunnel, as long as its context lets it.
	turn   chan struct{}
	tunnel *tunnel.Tunnel
}

// Link makes a link to the router; nothing is dialled yet. The caller closes it.
func (s *Store) Link(r *Router) *Link {
	l := &Link{identity: s.identity, router: r.Router, turn: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.turn <- struct{}{}
	return l
}

// Tunnel returns the living tunnel, or dials a new one.
func (l *Link) Tunnel(ctx context.Context) (*tunnel.Tunnel, error) {
	select {
	case <-l.turn:
		defer func() { l.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
	if l.tunnel != nil && l.tunnel.Err() == nil {
		return l.tunnel, nil
	}
	return l.dial(ctx)
}

// dial replaces the tunnel; the caller has the turn. Close breaks it off.
func (l *Link) dial(ctx context.Context) (*tunnel.Tunnel, error) {
	if l.tunnel != nil {
		l.tunnel.Close()
		l.tunnel = nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(l.ctx, cancel)
	defer stop()
	t, err := tunnel.Dial(ctx, tunnel.DialConfig{Identity: l.identity, Router: l.router})
	if l.ctx.Err() != nil {
		if err == nil {
			t.Close()
		}
		return nil, net.ErrClosed
	}
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
	if l.tunnel == nil {
		return nil
	}
	return l.tunnel.Close()
}
