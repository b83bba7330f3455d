package ends

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/flows"
)

const (
	answerWait = 300 * time.Millisecond // for the answer to a BIND
	bindTries  = 20
)

// pair is a router and a device that are connected to a relay of Lethe.
type pair struct {
	relay          netip.AddrPort
	router, device *bare.Conn
	id             auth.RouterID
	grant          []byte
}

// meetLethe connects router and device. The sessions that they open have no tunnel:
// their legs are endpoints of the ports, the device's of the source.
func (e *ends) meetLethe(ctx context.Context) (meeting, error) {
	c := e.config
	url, err := auth.ParseRelayURL(c.Relay)
	if err != nil {
		return nil, err
	}
	router, err := auth.ParseIdentity(c.Router)
	if err != nil {
		return nil, err
	}
	device, err := auth.ParseIdentity(c.Device)
	if err != nil {
		return nil, err
	}
	p := &pair{id: router.RouterID(), grant: c.Grant}
	if p.relay, err = netip.ParseAddrPort(url.Host); err != nil {
		return nil, err
	}
	if p.router, err = c.register(ctx, router); err != nil {
		return nil, err
	}
	e.closer.later(p.router.Close)
	if p.device, err = bare.Dial(ctx, url, device, loopback()); err != nil {
		return nil, err
	}
	e.closer.later(p.device.Close)
	return p.meet, nil
}

// meet opens a session, binds both legs, and sends a datagram from the router:
// until then the relay takes little from the device.
func (p *pair) meet(ctx context.Context, source, sink *flows.Port, i int) (flows.Flow, error) {
	far, met := bare.Ticket{}, make(chan error, 1)
	go func() {
		var err error
		far, err = p.router.Meet(ctx)
		met <- err
	}()
	near, err := p.device.Admit(ctx, p.id, p.grant)
	if err != nil {
		return flows.Flow{}, err
	}
	if err := <-met; err != nil {
		return flows.Flow{}, err
	}
	err = errors.Join(bind(ctx, source, i, p.relay, &near), bind(ctx, sink, i, p.relay, &far))
	if err == nil {
		err = p.greet(source, sink, i)
	}
	return flows.Flow{To: p.relay}, err
}

// bind binds a leg at an endpoint: BIND, COOKIE, BIND, BOUND.
func bind(ctx context.Context, port *flows.Port, i int, relay netip.AddrPort, leg *bare.Ticket) error {
	buf := make([]byte, flows.PayloadSize)
	for range bindTries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := port.Send(i, relay, leg.Bind()); err != nil {
			return err
		}
		n, to, _, err := port.Receive(buf, answerWait)
		if errors.Is(err, flows.ErrTimeout) || err == nil && to != i { // a late answer is to a BIND that was sent twice
			continue
		}
		if err != nil {
			return err
		}
		if bound, err := leg.Take(buf[:n]); bound || err != nil {
			return err
		}
	}
	return bare.ErrNotBound
}

// greet sends a datagram from the router's leg to the device's.
func (p *pair) greet(source, sink *flows.Port, i int) error {
	if err := sink.Send(i, p.relay, flows.Payload(0)); err != nil {
		return err
	}
	for buf := make([]byte, flows.PayloadSize); ; {
		n, to, _, err := source.Receive(buf, answerWait)
		switch {
		case err != nil:
			return err
		case n < flows.PayloadSize: // a late answer to a BIND that was sent twice
		case to != i:
			return fmt.Errorf("a datagram of session %d came to %d", i, to)
		default:
			return nil
		}
	}
}

// idleRouter registers a router with a key of its own.
func (c Config) idleRouter(ctx context.Context) (func(), error) {
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		return nil, err
	}
	conn, err := c.register(ctx, id)
	if err != nil {
		return nil, err
	}
	return conn.Close, nil
}

func (c Config) register(ctx context.Context, id *auth.Identity) (*bare.Conn, error) {
	url, err := auth.ParseRelayURL(c.Relay)
	if err != nil {
		return nil, err
	}
	conn, err := bare.Dial(ctx, url, id, loopback())
	if err != nil {
		return nil, err
	}
	if err := conn.Register(ctx, url.Token); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }
