package part

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
)

// stockLegBind is how often a leg says that it is still there; after a minute
// without it the relay forgets the address.
const stockLegBind = 15 * time.Second

// stockLeg gives a stock endpoint the socket of a leg. QUIC's datagrams look to
// the relay like a tunnel's, which is all that it looks at.
type stockLeg struct {
	control *bare.Conn
	leg     *bare.Leg // a router's is set by the goroutine that waits for it
	running sync.WaitGroup
	done    context.CancelFunc
}

// register registers a router and returns. use gets the socket of the first
// session that a device opens with it.
func (l *stockLeg) register(ctx context.Context, c ServerConfig, use func(*net.UDPConn) error) error {
	url, err := l.dial(ctx, c.Relay, c.Identity)
	if err != nil {
		return err
	}
	if err := l.control.Register(ctx, url.Token); err != nil {
		return err
	}
	living, done := context.WithCancel(context.Background())
	l.done = done
	l.running.Go(func() {
		leg, err := l.control.Accept(living)
		if err != nil {
			return // the client's part sees no server
		}
		if socket, err := l.take(leg); err == nil && use(socket) == nil {
			l.keep(living)
		}
	})
	return nil
}

// open opens a session as a device.
func (l *stockLeg) open(ctx context.Context, c ClientConfig) (*net.UDPConn, error) {
	if _, err := l.dial(ctx, c.Relay, c.Identity); err != nil {
		return nil, err
	}
	leg, err := l.control.Open(ctx, c.Router, c.Grant)
	if err != nil {
		return nil, err
	}
	living, done := context.WithCancel(context.Background())
	l.done = done
	socket, err := l.take(leg)
	if err == nil {
		l.running.Go(func() { l.keep(living) })
	}
	return socket, err
}

func (l *stockLeg) dial(ctx context.Context, relay string, identity []byte) (auth.RelayURL, error) {
	url, err := auth.ParseRelayURL(relay)
	if err != nil {
		return url, err
	}
	id, err := auth.ParseIdentity(identity)
	if err != nil {
		return url, err
	}
	l.control, err = bare.Dial(ctx, url, id, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	return url, err
}

// take makes the leg's socket one of package net.
func (l *stockLeg) take(leg *bare.Leg) (*net.UDPConn, error) {
	l.leg = leg
	return plainSocket(leg.Conn)
}

// keep keeps the leg bound. It is the relay's answers that a stock endpoint
// throws away: they are not QUIC.
func (l *stockLeg) keep(living context.Context) {
	ticker := time.NewTicker(stockLegBind)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.leg.Keep()
		case <-living.Done():
			return
		}
	}
}

// relay is where the leg sends to.
func (l *stockLeg) relay() string { return l.leg.Relay.String() }

// stop ends what is waiting or keeping; the socket goes on.
func (l *stockLeg) stop() {
	if l.done != nil {
		l.done()
	}
	if l.control != nil {
		l.control.Close()
	}
	l.running.Wait()
}

// close closes the leg, after stop.
func (l *stockLeg) close() {
	if l.leg != nil {
		l.leg.Close()
	}
}
