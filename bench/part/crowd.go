package part

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/flows"
)

// Pair is a router and a device of its, who open sessions one after the other.
type Pair struct {
	Router, Device []byte // PEM
	Grant          []byte
}

// CrowdConfig is who opens how many sessions.
type CrowdConfig struct {
	Relay    string // URL with token
	Pairs    []Pair // they open at the same time
	Sessions int    // of all together
}

const (
	together  = 500                    // sessions that are admitted before their legs are bound: a relay does not wait long for that
	bindBurst = 64                     // BINDs under way
	bindWait  = 300 * time.Millisecond // for an answer
	bindTries = 20                     // a relay at full load may lose some
	keepEvery = 25 * time.Second       // a leg that sends no BIND for a minute loses its address
)

// crowd is many sessions without tunnels. The legs of devices are endpoints of
// one Port, those of routers of another, session by session.
type crowd struct {
	ctx     context.Context // ends with it
	cancel  context.CancelFunc
	running sync.WaitGroup

	relay            netip.AddrPort
	control          []*bare.Conn
	device, router   *flows.Port
	devices, routers []bare.Ticket
}

// newCrowd opens the sessions. Through each it sends a datagram from the router:
// until then a relay takes little from the device. The caller closes the crowd,
// also after an error.
func newCrowd(ctx context.Context, c CrowdConfig) (*crowd, error) {
	url, err := auth.ParseRelayURL(c.Relay)
	if err != nil {
		return nil, err
	}
	w := &crowd{}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	if w.relay, err = netip.ParseAddrPort(url.Host); err != nil {
		return w, err
	}
	if w.device, err = flows.Open(); err != nil {
		return w, err
	}
	if w.router, err = flows.Open(); err != nil {
		return w, err
	}
	var couples []*couple
	for _, pair := range c.Pairs {
		p, err := w.meet(ctx, url, pair)
		if err != nil {
			return w, err
		}
		couples = append(couples, p)
	}
	for len(w.devices) < c.Sessions {
		if err := w.admit(ctx, couples, min(together, c.Sessions-len(w.devices))); err != nil {
			return w, err
		}
	}
	w.running.Go(w.keep)
	return w, nil
}

// couple is a Pair that is connected.
type couple struct {
	id             auth.RouterID
	grant          []byte
	router, device *bare.Conn
	met            chan meeting
}

// meeting is a session that the router has been asked for.
type meeting struct {
	ticket bare.Ticket
	err    error // no more are met
}

func (w *crowd) meet(ctx context.Context, url auth.RelayURL, p Pair) (*couple, error) {
	router, err := auth.ParseIdentity(p.Router)
	if err != nil {
		return nil, err
	}
	device, err := auth.ParseIdentity(p.Device)
	if err != nil {
		return nil, err
	}
	c := &couple{id: router.RouterID(), grant: p.Grant, met: make(chan meeting, 1)}
	if c.router, err = w.dial(ctx, url, router); err != nil {
		return nil, err
	}
	if err := c.router.Register(ctx, url.Token); err != nil {
		return nil, err
	}
	w.running.Go(func() { c.answer(w.ctx) })
	c.device, err = w.dial(ctx, url, device)
	return c, err
}

// answer answers the relay until the connection ends: also when it says, of each
// session, that the device is elsewhere. An endpoint's network is not the one of
// the control connection.
func (c *couple) answer(ctx context.Context) {
	for {
		t, err := c.router.Meet(ctx)
		select {
		case c.met <- meeting{t, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// open opens a session.
func (c *couple) open(ctx context.Context, device, router *bare.Ticket) (err error) {
	if *device, err = c.device.Admit(ctx, c.id, c.grant); err != nil {
		return err
	}
	select {
	case m := <-c.met: // before the relay told the device
		*router = m.ticket
		return m.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *crowd) dial(ctx context.Context, url auth.RelayURL, id *auth.Identity) (*bare.Conn, error) {
	conn, err := bare.Dial(ctx, url, id, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err == nil {
		w.control = append(w.control, conn)
	}
	return conn, err
}

// admit opens and binds n more sessions.
func (w *crowd) admit(ctx context.Context, couples []*couple, n int) error {
	first := len(w.devices)
	w.devices, w.routers = append(w.devices, make([]bare.Ticket, n)...), append(w.routers, make([]bare.Ticket, n)...)
	failed := make([]error, len(couples))
	var opening sync.WaitGroup
	for k, c := range couples {
		opening.Go(func() {
			for i := first + k; i < first+n && failed[k] == nil; i += len(couples) {
				failed[k] = c.open(ctx, &w.devices[i], &w.routers[i])
			}
		})
	}
	opening.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if err := bindAll(ctx, w.device, w.relay, w.devices, first); err != nil {
		return err
	}
	if err := bindAll(ctx, w.router, w.relay, w.routers, first); err != nil {
		return err
	}
	for i := first; i < first+n; i++ {
		if err := w.greet(i); err != nil {
			return err
		}
	}
	return nil
}

// greet sends a datagram from a router to its device.
func (w *crowd) greet(i int) error {
	if err := w.router.Send(i, w.relay, flows.Payload(0)); err != nil {
		return err
	}
	for buf := make([]byte, flows.PayloadSize); ; {
		n, to, _, err := w.device.Receive(buf, bindWait)
		switch {
		case err != nil:
			return err
		case n < flows.PayloadSize: // the relay's answer to a BIND that was sent twice
		case to != i:
			return fmt.Errorf("a datagram of session %d came to %d", i, to)
		default:
			return nil
		}
	}
}

// keep renews all legs until the crowd is closed. That costs the relay something,
// so it begins late, and short measurements have nothing of it.
func (w *crowd) keep() {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-ticker.C:
		}
		for i := range w.devices {
			w.device.Send(i, w.relay, w.devices[i].Bind()) // one that fails is made good by the next
			w.router.Send(i, w.relay, w.routers[i].Bind())
		}
	}
}

// through is the way of each session, from device to router.
func (w *crowd) through() []flows.Flow {
	ways := make([]flows.Flow, len(w.devices))
	for i := range ways {
		ways[i].To = w.relay
	}
	return ways
}

func (w *crowd) close() {
	w.cancel()
	for _, conn := range w.control {
		conn.Close()
	}
	w.running.Wait()
	for _, port := range []*flows.Port{w.device, w.router} {
		if port != nil {
			port.Close()
		}
	}
}
