package part

import (
	"context"
	"net/netip"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
)

// bareSession is both ends of a session without a tunnel.
type bareSession struct {
	control        []*bare.Conn
	device, router *bare.Leg
}

// openBare registers a router, opens a session to it as the device, and binds
// both legs. The caller closes the session, also after an error.
func openBare(ctx context.Context, url auth.RelayURL, router, device *auth.Identity, grant []byte) (*bareSession, error) {
	s := &bareSession{}
	registered, err := s.dial(ctx, url, router)
	if err != nil {
		return s, err
	}
	if err := registered.Register(ctx, url.Token); err != nil {
		return s, err
	}
	opening, err := s.dial(ctx, url, device)
	if err != nil {
		return s, err
	}
	accepted, failed := make(chan *bare.Leg, 1), make(chan error, 1)
	go func() {
		leg, err := registered.Accept(ctx)
		accepted <- leg
		failed <- err
	}()
	if s.device, err = opening.Open(ctx, router.RouterID(), grant); err != nil {
		return s, err
	}
	s.router = <-accepted
	return s, <-failed
}

func (s *bareSession) dial(ctx context.Context, url auth.RelayURL, id *auth.Identity) (*bare.Conn, error) {
	conn, err := bare.Dial(ctx, url, id, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err == nil {
		s.control = append(s.control, conn)
	}
	return conn, err
}

func (s *bareSession) close() {
	for _, leg := range []*bare.Leg{s.device, s.router} {
		if leg != nil {
			leg.Close()
		}
	}
	for _, conn := range s.control {
		conn.Close()
	}
}
