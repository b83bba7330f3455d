package drive

import (
	"context"
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/proc"
)

const (
	fullRuns      = 4                     // in one system call
	windowBytes   = 4 << 20               // under way at once, by all sessions: it fits into the relay's buffer, so that little is lost
	sourceTimeout = 20 * time.Millisecond // without a word from the other end: what is under way counts as lost
)

// Full is what the part of that name is opened with.
type Full struct {
	Shared
	Sessions []Pair
}

// Pair is both ends of a session without a tunnel.
type Pair struct {
	Router        BareRouter
	RouterID      auth.RouterID
	Device, Grant []byte
	DeviceFrom    netip.Addr
}

// full has both ends of some sessions, and sends from the devices to the
// routers as fast as the relay carries. A window between the ends keeps the
// source from sending what no buffer holds.
type full struct {
	*part
	conns  []*bare.Conn
	ends   []*bareEnd
	window uint64 // datagrams
}

func newFull() proc.Part {
	f := &full{part: newPart()}
	return proc.Part{
		Handlers: f.handlers(map[string]proc.Handler{
			askOpen: proc.Handle(f.open), askNamed: proc.Handle(f.tell), askClose: proc.Handle(f.end),
		}),
		Close: func() { f.close(false) },
	}
}

func (f *full) open(ctx context.Context, c Full) (any, error) {
	if err := f.share(c.Shared); err != nil {
		return nil, err
	}
	f.window = uint64(windowBytes / datagramSize / max(len(c.Sessions), 1))
	for i, pair := range c.Sessions {
		if err := f.pair(ctx, i, pair); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// pair opens a session and begins to send.
func (f *full) pair(ctx context.Context, i int, p Pair) error {
	router, err := f.dial(ctx, p.Router.Identity, p.Router.From)
	if err != nil {
		return err
	}
	if err := router.Register(ctx, f.url.Token); err != nil {
		return err
	}
	device, err := f.dial(ctx, p.Device, p.DeviceFrom)
	if err != nil {
		return err
	}
	type accepted struct {
		leg *bare.Leg
		err error
	}
	answered := make(chan accepted, 1)
	go func() {
		leg, err := router.Accept(ctx)
		answered <- accepted{leg, err}
	}()
	leg, err := device.Open(ctx, p.RouterID, p.Grant)
	if err != nil {
		return err
	}
	other := <-answered
	if other.err != nil {
		leg.Close()
		return other.err
	}
	number := firstNumber(f.group, i)
	sink := newBareEnd(other.leg, f.part, number|routerBit, make(chan struct{}, 1))
	source := newBareEnd(leg, f.part, number, nil)
	f.ends = append(f.ends, source, sink)
	sink.sending.Go(sink.pace) // until the router has sent something, the relay takes little from the device
	source.sending.Go(func() { f.source(source, sink) })
	return nil
}

func (f *full) dial(ctx context.Context, pem []byte, from netip.Addr) (*bare.Conn, error) {
	id, err := auth.ParseIdentity(pem)
	if err != nil {
		return nil, err
	}
	conn, err := bare.Dial(ctx, f.url, id, from)
	if err == nil {
		f.conns = append(f.conns, conn)
	}
	return conn, err
}

// source sends until its end is closed, or the part is to be quiet.
func (f *full) source(e, sink *bareEnd) {
	e.prepare(fullRuns, runDatagrams)
	keep := time.NewTicker(keepEvery)
	defer keep.Stop()
	silence := time.NewTimer(sourceTimeout)
	defer silence.Stop()
	for sent, lost := uint64(0), uint64(0); ; {
		for sent-max(sink.seen.Load(), lost) > f.window || f.quiet.Load() {
			silence.Reset(sourceTimeout)
			select {
			case <-sink.arrived:
			case <-silence.C:
				lost = sent
			case <-e.done:
				return
			}
		}
		var err error
		select {
		case <-e.done:
			return
		case <-keep.C:
			err = e.leg.Keep()
		default:
			err = e.send()
			sent += fullRuns * runDatagrams
		}
		if isClosed(err) {
			return
		}
	}
}

func (f *full) tell(context.Context, struct{}) (any, error) {
	var n Named
	for _, end := range f.ends {
		n.add(end.named())
	}
	return n, nil
}

func (f *full) end(context.Context, string) (any, error) {
	f.close(true)
	return nil, nil
}

// close closes sources before sinks: what is under way is not to be an answer
// to a closed port.
func (f *full) close(unbind bool) {
	for _, end := range f.ends {
		end.close(unbind)
	}
	for _, conn := range f.conns {
		conn.Close()
	}
}
