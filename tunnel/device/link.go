package device

import (
	"context"
	"io/fs"
	"net"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/splice"
	"github.com/lethe-relay/lethe/tunnel"
)

// Link is a tunnel to a router that is opened when it is needed, again when it
// has broken, and again when the folder has a newer grant: a router holds a
// tunnel to the grant that it was dialled with. It is safe for concurrent use.
type Link struct {
	// static
	store    *Store
	identity *auth.Identity
	name     string             // of the router
	id       auth.RouterID      // and its ID
	linger   time.Duration      // see end
	ctx      context.Context    // ends with Close
	cancel   context.CancelFunc // of ctx
	keeping  context.Context    // ends at the end of Close, which may bring a grant
	kept     context.CancelFunc // of keeping
	ending   sync.WaitGroup     // of tunnels that were left

	// turn holds one token: whoever has it may look at router and line, and
	// dial. Who comes meanwhile waits for the same tunnel, as long as its context
	// lets it.
	turn   chan struct{}
	router tunnel.Router // as it was stored at the last dialling
	line   *line         // nil before the first

	// guarded by mu
	mu     sync.Mutex
	left   []*line // that a new one was dialled beside; their streams go on, and stalled ones may recover
	unkept error   // why the latest fresh grant is not stored
}

// line is a tunnel, with what its link must know to leave it.
type line struct {
	*tunnel.Tunnel
	grant []byte // it was dialled with

	file fs.FileInfo // of a grant that is not newer; nil if none was seen. Whoever has the turn may look

	// guarded by the link's mu
	uses int  // streams of Open that are not closed, and calls of Tunnel
	left bool // another one has taken its place
}

// Link makes a link to the router; nothing is dialled yet. The caller closes it.
// Its tunnels show the evidence of the store's Environment.
func (s *Store) Link(r *Router) *Link {
	l := &Link{
		store: s, identity: s.identity, name: r.Name, id: r.ID, router: r.Router,
		linger: linger, turn: make(chan struct{}, 1),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.keeping, l.kept = context.WithCancel(context.Background())
	l.turn <- struct{}{}
	return l
}

// Tunnel returns the living tunnel, or dials a new one: also when the old one has
// stalled, because new streams should not wait for what may never recover, and
// when the folder has a newer grant. If the relay can't be asked with that, the
// old one goes on. A tunnel that was returned lives until it ends by itself or
// the link is closed.
func (l *Link) Tunnel(ctx context.Context) (*tunnel.Tunnel, error) {
	at, err := l.use(ctx)
	if err != nil {
		return nil, err
	}
	return at.Tunnel, nil
}

// Open opens a stream to a service of the router, in a new tunnel if need be.
// The caller closes it.
func (l *Link) Open(ctx context.Context, service string) (splice.Conn, error) {
	at, err := l.use(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := l.openIn(ctx, at, service)
	if err != nil && at.Err() != nil { // it broke between the two calls
		if at, err = l.use(ctx); err != nil {
			return nil, err
		}
		conn, err = l.openIn(ctx, at, service)
	}
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (l *Link) openIn(ctx context.Context, at *line, service string) (*stream, error) {
	s, err := at.Open(ctx, service)
	if err != nil {
		l.release(at)
		return nil, err
	}
	return &stream{s, sync.OnceFunc(func() { l.release(at) })}, nil
}

// stream is a stream that is missed when it is closed.
type stream struct {
	*tunnel.Stream
	release func()
}

// Close implements [net.Conn].
func (s *stream) Close() error {
	defer s.release()
	return s.Stream.Close()
}

// renewed takes a fresh grant; the next use of the link finds it in the folder.
func (l *Link) renewed(grant []byte) {
	err := l.keep(l.keeping, grant)
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

// Close ends all tunnels, and breaks dialling off; the link opens no other.
func (l *Link) Close() error {
	l.cancel()
	<-l.turn
	defer func() { l.turn <- struct{}{} }()
	l.mu.Lock()
	all := l.left
	l.left = nil
	l.mu.Unlock()
	if l.line != nil {
		all = append(all, l.line)
	}
	for _, at := range all {
		at.Close()
	}
	l.ending.Wait()
	l.kept()
	return nil
}

// use returns the line to use now, and counts one use of it.
func (l *Link) use(ctx context.Context) (*line, error) {
	select {
	case <-l.turn:
		defer func() { l.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
	if err := l.refresh(ctx); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.uses++
	return l.line, nil
}
