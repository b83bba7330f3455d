package part

import (
	"context"
	"io"
	"net"
	"sync"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/tunnel"
)

// RouterConfig is what a router is opened with.
type RouterConfig struct {
	Relay    string // URL with token
	Identity []byte // PEM

	// Secret is the pairing secret of its devices, whose environment it then
	// judges. Zero: it judges nothing.
	Secret [32]byte
}

// DeviceConfig is what a device is opened with.
type DeviceConfig struct {
	Relay    string // URL
	Identity []byte // PEM
	Router   auth.RouterID
	Grant    []byte
	Secret   [32]byte // blinds the evidence that it shows; zero: it shows none
	Tunnels  int      // to open
}

func (c DeviceConfig) dial() (tunnel.DialConfig, error) {
	id, err := auth.ParseIdentity(c.Identity)
	if err != nil {
		return tunnel.DialConfig{}, err
	}
	url, err := auth.ParseRelayURL(c.Relay)
	if err != nil {
		return tunnel.DialConfig{}, err
	}
	router := tunnel.Router{Relay: url, ID: c.Router, Grant: c.Grant, Secret: c.Secret}
	return tunnel.DialConfig{Identity: id, Router: router, Environment: here{}}, nil
}

// router serves the services Down and Up.
type router struct {
	*meter
	listener *tunnel.Listener
	running  sync.WaitGroup
}

func newRouter() proc.Part {
	r := &router{meter: newMeter()}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(r.open), Progress: r.progress()},
		Close:    r.close,
	}
}

func (r *router) close() {
	if r.listener != nil {
		r.listener.Close()
	}
	r.running.Wait()
}

func (r *router) open(ctx context.Context, c RouterConfig) (any, error) {
	id, err := auth.ParseIdentity(c.Identity)
	if err != nil {
		return nil, err
	}
	url, err := auth.ParseRelayURL(c.Relay)
	if err != nil {
		return nil, err
	}
	cfg := tunnel.ListenConfig{Identity: id, Relay: url}
	if c.Secret != [32]byte{} {
		cfg.Judging = &tunnel.Judging{Judge: judge(c.Secret)}
	}
	if r.listener, err = tunnel.Listen(ctx, cfg); err != nil {
		return nil, err
	}
	r.running.Go(func() {
		for {
			conn, err := r.listener.Accept()
			if err != nil {
				return
			}
			r.running.Go(func() { r.answer(conn, conn.(*tunnel.Stream).Service()) })
		}
	})
	return nil, nil
}

// device opens tunnels to a router, and one stream in each.
type device struct {
	*meter
	tunnels []*tunnel.Tunnel
	running sync.WaitGroup
}

func newDevice() proc.Part {
	d := &device{meter: newMeter()}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(d.open), Flow: proc.Handle(d.flow), Progress: d.progress()},
		Close: func() {
			for _, t := range d.tunnels {
				t.Close()
			}
			d.running.Wait()
		},
	}
}

func (d *device) open(ctx context.Context, c DeviceConfig) (any, error) {
	cfg, err := c.dial()
	if err != nil {
		return nil, err
	}
	for range c.Tunnels {
		t, err := tunnel.Dial(ctx, cfg)
		if err != nil {
			return nil, err
		}
		d.tunnels = append(d.tunnels, t)
	}
	return nil, nil
}

func (d *device) flow(ctx context.Context, direction string) (any, error) {
	for _, t := range d.tunnels {
		stream, err := t.Open(ctx, direction)
		if err != nil {
			return nil, err
		}
		d.running.Go(func() { d.ask(stream, direction) })
	}
	return nil, nil
}

// answer is the answering end of a flow, ask the other one.
func (m *meter) answer(conn net.Conn, direction string) {
	defer conn.Close()
	m.move(conn, direction == Down)
}

func (m *meter) ask(conn net.Conn, direction string) {
	defer conn.Close()
	m.move(conn, direction == Up)
}

func (m *meter) move(conn io.ReadWriter, sends bool) {
	if sends {
		m.send(conn)
	} else {
		m.receive(conn)
	}
}

// progress is the handler of the request of that name.
func (m *meter) progress() proc.Handler {
	return proc.Handle(func(context.Context, struct{}) (any, error) { return m.moved() })
}
