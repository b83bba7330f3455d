package drive

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/tunnel"
)

// chunkEvery is between two chunks of a paced stream: 32 KB/s.
const chunkEvery = 500 * time.Millisecond

// Routers is what the part of that name is opened with.
type Routers struct {
	Shared
	Tunnels [][]byte // keys, in PEM, of routers that serve tunnels
	Bare    []BareRouter
	Full    bool // streams go as fast as they can
}

// BareRouter serves sessions without tunnels.
type BareRouter struct {
	Identity []byte // PEM
	From     netip.Addr
}

// routers are the routers of a group.
type routers struct {
	*part
	ctx       context.Context // ends with the part
	listeners []*tunnel.Listener
	conns     []*bare.Conn
	every     time.Duration

	// guarded by mu
	endsMu sync.Mutex
	ends   []*bareEnd
}

func newRouters() proc.Part {
	ctx, cancel := context.WithCancel(context.Background())
	r := &routers{part: newPart(), ctx: ctx, every: chunkEvery}
	return proc.Part{
		Handlers: r.handlers(map[string]proc.Handler{askOpen: proc.Handle(r.open), askNamed: proc.Handle(r.tell)}),
		Close: func() {
			cancel()
			r.close()
		},
	}
}

func (r *routers) open(ctx context.Context, c Routers) (any, error) {
	if err := r.share(c.Shared); err != nil {
		return nil, err
	}
	if c.Full {
		r.every = 0
	}
	for _, pem := range c.Tunnels {
		if err := r.listen(ctx, pem); err != nil {
			return nil, err
		}
	}
	for _, router := range c.Bare {
		if err := r.register(ctx, router); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// listen serves tunnels.
func (r *routers) listen(ctx context.Context, pem []byte) error {
	id, err := auth.ParseIdentity(pem)
	if err != nil {
		return err
	}
	l, err := tunnel.Listen(ctx, tunnel.ListenConfig{Identity: id, Relay: r.url, Control: r.watch})
	if err != nil {
		return err
	}
	r.listeners = append(r.listeners, l)
	r.disregard()
	r.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.running.Go(func() { r.serve(&streamEnd{conn: conn, part: r.part, every: r.every}) })
		}
	})
	return nil
}

func (r *routers) serve(e *streamEnd) {
	number, err := e.begun()
	if err != nil {
		r.counts.fail(err)
		e.conn.Close()
		return
	}
	e.run(number|routerBit, number)
}

// register serves sessions without tunnels, each from an address of the router's.
func (r *routers) register(ctx context.Context, c BareRouter) error {
	id, err := auth.ParseIdentity(c.Identity)
	if err != nil {
		return err
	}
	conn, err := bare.Dial(ctx, r.url, id, c.From)
	if err != nil {
		return err
	}
	r.conns = append(r.conns, conn)
	if err := conn.Register(ctx, r.url.Token); err != nil {
		return err
	}
	for range opensAtOnce { // one answer waits for its leg to be bound
		r.running.Go(func() { r.accept(conn) })
	}
	return nil
}

// accept takes sessions until the connection ends, or the part.
func (r *routers) accept(conn *bare.Conn) {
	for {
		leg, err := conn.Accept(r.ctx)
		if err != nil {
			return
		}
		r.endsMu.Lock()
		end := newBareEnd(leg, r.part, firstNumber(r.group, len(r.ends))|routerBit, nil)
		r.ends = append(r.ends, end)
		end.sending.Go(end.pace)
		r.endsMu.Unlock()
	}
}

// tell names what the routers' sessions are known by.
func (r *routers) tell(context.Context, struct{}) (any, error) {
	n, err := r.named()
	if err != nil {
		return nil, err
	}
	r.endsMu.Lock()
	defer r.endsMu.Unlock()
	for _, end := range r.ends {
		n.add(end.named())
	}
	return n, nil
}

func (r *routers) close() {
	for _, l := range r.listeners {
		l.Close()
	}
	for _, conn := range r.conns {
		conn.Close()
	}
	r.endsMu.Lock()
	ends := r.ends
	r.endsMu.Unlock()
	for _, end := range ends {
		end.close(false)
	}
	r.running.Wait()
}
