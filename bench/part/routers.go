package part

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"sync"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/proc"
)

// Register has the routers part register so many routers more.
const Register = "register"

// RoutersConfig is what routers are opened with.
type RoutersConfig struct{ Relay string } // URL with token

const (
	registerAtOnce = 8
	registerTries  = 3 // as an agent tries again: a busy machine lets handshakes time out
)

// routers are registered and then do nothing but to keep their connections alive.
// Each has a key, a socket and an address of its own, as in life.
type routers struct {
	relay auth.RelayURL
	all   []*bare.Conn
}

func newRouters() proc.Part {
	r := &routers{}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(r.open), Register: proc.Handle(r.register)},
		Close: func() {
			for _, conn := range r.all {
				conn.Close()
			}
		},
	}
}

func (r *routers) open(_ context.Context, c RoutersConfig) (_ any, err error) {
	r.relay, err = auth.ParseRelayURL(c.Relay)
	return nil, err
}

// register returns when all of them are, or with what the first that failed said.
func (r *routers) register(ctx context.Context, more int) (any, error) {
	first := len(r.all)
	r.all = append(r.all, make([]*bare.Conn, more)...)
	failed := make([]error, registerAtOnce)
	var running sync.WaitGroup
	for worker := range registerAtOnce {
		running.Go(func() {
			for i := first + worker; i < len(r.all) && failed[worker] == nil; i += registerAtOnce {
				r.all[i], failed[worker] = r.one(ctx, i)
			}
		})
	}
	running.Wait()
	if err := errors.Join(failed...); err != nil {
		r.all = r.all[:first] // what was registered stays so until the process ends
		return nil, err
	}
	return len(r.all), nil
}

// one registers router number i.
func (r *routers) one(ctx context.Context, i int) (conn *bare.Conn, err error) {
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		return nil, err
	}
	for range registerTries {
		if conn, err = r.once(ctx, id, loopback(i)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (r *routers) once(ctx context.Context, id *auth.Identity, from netip.Addr) (*bare.Conn, error) {
	conn, err := bare.Dial(ctx, r.relay, id, from)
	if err != nil {
		return nil, err
	}
	if err := conn.Register(ctx, r.relay.Token); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// loopback is the address of router number i, from 127.1.0.0 on.
func loopback(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 1 + byte(i>>16), byte(i >> 8), byte(i)})
}
