package part

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/internal/udpio"
)

const (
	echoAtOnce  = 32              // sessions that are being accepted or wait for their datagram
	echoTimeout = 2 * time.Second // for a datagram; loopback loses none
)

var errNoEcho = errors.New("a bound leg carried nothing in time")

// local is where the ends of sessions without tunnels are.
func local() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// echo is a router of sessions without tunnels. It sends the first datagram of
// each back, and closes its leg. It judges nothing: the relay has.
type echo struct {
	conn    *bare.Conn
	running sync.WaitGroup
}

func newEcho() proc.Part {
	e := &echo{}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(e.open)},
		Close:    e.close,
	}
}

func (e *echo) close() {
	if e.conn != nil {
		e.conn.Close()
	}
	e.running.Wait()
}

func (e *echo) open(ctx context.Context, c RouterConfig) (any, error) {
	id, err := auth.ParseIdentity(c.Identity)
	if err != nil {
		return nil, err
	}
	url, err := auth.ParseRelayURL(c.Relay)
	if err != nil {
		return nil, err
	}
	if e.conn, err = bare.Dial(ctx, url, id, local()); err != nil {
		return nil, err
	}
	if err := e.conn.Register(ctx, url.Token); err != nil {
		return nil, err
	}
	for range echoAtOnce {
		e.running.Go(e.serve)
	}
	return nil, nil
}

// serve answers sessions until the connection is closed. What goes wrong in one
// shows at its device.
func (e *echo) serve() {
	for {
		leg, err := e.conn.Accept(context.Background())
		if err != nil {
			return
		}
		if in, err := carried(leg, echoTimeout); err == nil {
			leg.Conn.NewWriter(1).WriteBatch([]udpio.Message{{Buf: in, N: len(in), Path: leg.Path()}})
		}
		leg.Close()
	}
}

// carried waits for the first thing that a bound leg carries. The relay's answers
// to the leg's own messages are not meant.
func carried(leg *bare.Leg, timeout time.Duration) ([]byte, error) {
	leg.Conn.SetReadDeadline(time.Now().Add(timeout))
	reader, in := leg.Conn.NewReader(1), udpio.NewBatch(1)
	for {
		n, err := reader.ReadBatch(in)
		if err != nil {
			return nil, errors.Join(errNoEcho, err)
		}
		if n > 0 && in[0].N > 0 && in[0].Buf[0]&firstByte != 0 {
			return in[0].Buf[:in[0].N], nil
		}
	}
}
