package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/internal/forgetful"
	"github.com/lethe-relay/lethe/internal/packetmem"
	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

const (
	cookieLifetime = 30 * time.Second // long enough for a slow round trip, short enough that a cookie is of no use to a later owner of the address
	bindTimeout    = 15 * time.Second // from the session's making to both legs bound: three tries of an endpoint on a slow path
	legTimeout     = time.Minute      // without a BIND: endpoints send one every 15 s
	sweepInterval  = time.Second      // how exactly idle time-outs are kept
)

// ErrFull is returned by [Plane.NewSession] when the plane holds as many
// sessions as it was made for.
var ErrFull = errors.New("the relay holds as many sessions as it is configured for")

// Config is what a Plane is made from.
type Config struct {
	Listen      netip.AddrPort
	Sockets     int           // sockets and loops; one per core is right
	BufferBytes int           // wanted size of each socket's kernel buffers
	MaxSessions int           // sizes the address table; no more are made
	IdleTimeout time.Duration // a session that carries nothing for this long ends
	OneWayBytes uint64        // what a leg may send before the other leg has sent anything
	SessionRate uint64        // bits per second that a leg may send in the long run, 1e11 at most; zero: no bound
	BusyPoll    time.Duration // that a loop looks for more before it waits, see [udpio.Reader.BusyPoll]; it wipes so much later
}

// Plane is the data plane. Make one with [Listen], then call [Plane.Run].
type Plane struct {
	// static
	cfg     Config
	made    time.Time // what the loops' time counts from
	loops   []*loop
	control *ControlConn
	memory  *packetmem.Memory // all packet buffers, of the loops and of control
	table   *addrTable
	cookies *cookieJar
	leaker  leaker // nothing, unless built to leak

	carrying sync.Mutex // held by Run, which uses memory
	closed   bool       // guarded by carrying: memory is gone

	ended [endReasons]atomic.Uint64 // sessions, by EndReason

	// guarded by mu
	mu       sync.RWMutex
	legs     *forgetful.Map[wire.LegID, *Leg]
	sessions map[*Session]struct{}
}

// Listen opens the sockets and takes the memory for all packet buffers. Nothing
// is read before Run. The caller calls Run or Close.
func Listen(cfg Config) (_ *Plane, err error) {
	cfg.Sockets = max(cfg.Sockets, 1)
	p := newPlane(cfg)
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.leaker, err = newLeaker(); err != nil {
		return nil, err
	}
	if p.memory, err = packetmem.New(cfg.Sockets*loopBytes + controlBytes); err != nil {
		return nil, err
	}
	if err := p.openLoops(); err != nil {
		return nil, err
	}
	queue, err := p.memory.Take(controlBytes)
	if err != nil {
		return nil, err
	}
	p.control = newControlConn(p.loops[0].conn, queue)
	return p, nil
}

func (p *Plane) openLoops() error {
	at := p.cfg.Listen
	for i := range p.cfg.Sockets {
		buffers, err := p.memory.Take(loopBytes)
		if err != nil {
			return err
		}
		conn, err := openSocket(at, i, p.cfg)
		if err != nil {
			return fmt.Errorf("open UDP socket %d: %w", i, err)
		}
		at = conn.LocalAddr() // port 0 is chosen once, for all
		p.loops = append(p.loops, newLoop(p, conn, buffers))
	}
	return nil
}

// openSocket opens one of the sockets. The first is opened alone, and shared
// afterwards: so the port of another relay is in use, even if that one shares
// it among its own sockets and runs as the same user.
func openSocket(at netip.AddrPort, i int, cfg Config) (*udpio.Conn, error) {
	conn, err := udpio.Listen(at, udpio.Config{ReusePort: i > 0, BufferBytes: cfg.BufferBytes})
	if err != nil || i > 0 || cfg.Sockets <= 1 {
		return conn, err
	}
	if err := conn.Share(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// newPlane makes a plane without sockets: the state that the loops share.
func newPlane(cfg Config) *Plane {
	return &Plane{
		cfg:      cfg,
		made:     time.Now(),
		table:    newAddrTable(2 * cfg.MaxSessions),
		cookies:  newCookieJar(),
		legs:     forgetful.New[wire.LegID, *Leg](),
		sessions: make(map[*Session]struct{}),
	}
}

// LocalAddr is the address that all sockets share.
func (p *Plane) LocalAddr() netip.AddrPort { return p.loops[0].conn.LocalAddr() }

// Offload tells which of GRO and GSO the kernel gives the sockets.
func (p *Plane) Offload() udpio.Offload { return p.loops[0].conn.Offload() }

// GrantedBuffers returns the bytes of kernel buffer that each socket got.
func (p *Plane) GrantedBuffers() (receive, send int) { return p.loops[0].conn.Granted() }

// ControlConn carries the QUIC datagrams that belong to no leg. It works while
// Run does and is closed by it.
func (p *Plane) ControlConn() *ControlConn { return p.control }

// Run carries datagrams until ctx ends or a socket fails, then closes the
// sockets, ends all sessions and gives the packet buffers back. It returns nil
// when ctx ended it, and [net.ErrClosed] after Close. It may be called once.
func (p *Plane) Run(ctx context.Context) error {
	p.carrying.Lock()
	defer p.Close()
	defer p.carrying.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, l := range p.loops {
		wg.Go(func() { cancel(l.run()) })
	}
	wg.Go(func() { p.sweep(ctx) })
	wg.Go(func() { p.keepWiping(ctx) })

	<-ctx.Done()
	p.closeSockets()
	wg.Wait()
	p.control.Close()
	p.endAll()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Close closes the sockets, which ends Run, and gives the packet buffers back
// when nobody can touch them any more. Closing again does nothing.
func (p *Plane) Close() {
	p.closeSockets()
	p.carrying.Lock()
	defer p.carrying.Unlock()
	p.closed = true
	if p.control != nil {
		p.control.Close()
		p.control.drop()
	}
	if p.memory != nil {
		p.memory.Close() // it can't fail for a mapping that was made whole
	}
}

func (p *Plane) closeSockets() {
	for _, l := range p.loops {
		l.conn.Close()
	}
}

// NewSession makes a session with two unbound legs and no limit.
func (p *Plane) NewSession(hooks Hooks) (*Session, error) {
	s := newSession(time.Now(), hooks)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.sessions) >= p.cfg.MaxSessions {
		return nil, ErrFull
	}
	for _, l := range s.legs() {
		if p.legs.Get(l.id) != nil { // a collision of 64 random bits: the caller may try again
			return nil, ErrFull
		}
	}
	for _, l := range s.legs() {
		p.legs.Set(l.id, l)
	}
	p.sessions[s] = struct{}{}
	return s, nil
}

// End forgets the session: its addresses, secrets and ids are gone when it returns.
func (p *Plane) End(s *Session, why EndReason) {
	s.ended.Do(func() {
		p.mu.Lock()
		for _, l := range s.legs() {
			p.legs.Delete(l.id)
		}
		delete(p.sessions, s)
		p.mu.Unlock()
		for _, l := range s.legs() {
			p.forget(l)
		}
		p.ended[why].Add(1)
		if s.onEnd != nil {
			s.onEnd(why)
		}
	})
}

// forget takes the leg's addresses and key from memory.
func (p *Plane) forget(l *Leg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if path := l.path.Swap(nil); path != nil {
		p.table.remove(path.Remote, l)
	}
	l.closed, l.told = true, [16]byte{}
	l.secret = wire.LegSecret{}
}

func (p *Plane) endAll() {
	for _, s := range p.list() {
		p.End(s, EndByRelay)
	}
}

func (p *Plane) list() []*Session {
	p.mu.RLock()
	defer p.mu.RUnlock()
	all := make([]*Session, 0, len(p.sessions))
	for s := range p.sessions {
		all = append(all, s)
	}
	return all
}

func (p *Plane) leg(id wire.LegID) *Leg {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.legs.Get(id)
}

// sweep looks at the sessions each second and turns the cookie key over.
func (p *Plane) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	turned := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if now.Sub(turned) >= cookieLifetime {
				turned = now
				p.cookies.rotate()
			}
			p.look(now)
			forgetful.Stack()
		}
	}
}

// look takes the addresses that nobody vouches for and ends the sessions that are over.
func (p *Plane) look(now time.Time) {
	for _, s := range p.list() {
		for _, l := range s.legs() {
			p.expire(l, now)
		}
		if why, over := p.over(s, now); over {
			p.End(s, why)
		}
	}
}

// expire takes the address of a leg whose endpoint has stopped sending BINDs:
// the address may be somebody else's by now.
func (p *Plane) expire(l *Leg, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.heard) < legTimeout {
		return
	}
	if path := l.path.Swap(nil); path != nil {
		p.table.remove(path.Remote, l)
	}
}

// over decides by counters and limits, so that the forward path needs no clock.
func (p *Plane) over(s *Session, now time.Time) (EndReason, bool) {
	if limit := s.limit.Load(); limit != nil && limit.over(now) {
		return EndLimited, true
	}
	s.sweep.Lock()
	defer s.sweep.Unlock()
	if n := s.Device.datagrams.Load() + s.Router.datagrams.Load(); n != s.datagrams {
		s.datagrams, s.active = n, now
		return 0, false
	}
	quiet := now.Sub(s.active)
	if s.datagrams == 0 && quiet >= bindTimeout && !(s.Device.Bound() && s.Router.Bound()) {
		return EndNotBound, true
	}
	return EndIdle, quiet >= p.cfg.IdleTimeout
}
