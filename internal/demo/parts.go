package demo

import (
	"context"
	"net"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/internal/splice"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/relay"
	"github.com/lethe-relay/lethe/tunnel/agent"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/proxy"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// The steps by which open goes on, in their order. Each does what the commands
// of the three programs do.

// startRelay is 'lethe-relay init' and 'run'.
func (s *stage) startRelay() error {
	path, err := relay.Init(s.path("relay"), loopback(), "")
	if err != nil {
		return err
	}
	cfg, err := relay.LoadConfig(path)
	if err != nil {
		return err
	}
	cfg.Lockdown = lockdown.Off // it would lock router and device down, too
	if s.relay, err = relay.New(cfg, s.cfg.Version, telemetry.New(s.cfg.Log)); err != nil {
		return err
	}
	s.run("relay", func(ctx context.Context) error { return s.relay.Run(ctx, nil) })
	return nil
}

func (s *stage) startWire() (err error) {
	if s.wire, err = newWire(s.relay.Addr(), s.page.secrets()...); err != nil {
		return err
	}
	s.cleanups = append(s.cleanups, s.wire.proxy.Close)
	return nil
}

// startRouter is 'lethe-agent init' and 'run', with the page as its service.
func (s *stage) startRouter() error {
	path, err := agent.Init(s.path("router"), s.relay.URL())
	if err != nil {
		return err
	}
	if s.router, err = agent.LoadConfig(path); err != nil {
		return err
	}
	target, err := service.ParseTarget("tcp:" + s.page.listener.Addr().String())
	if err != nil {
		return err
	}
	s.router.Name = routerName
	s.router.Services = []service.Service{{Name: serviceName, Target: target}}
	s.router.LeasesFile = s.page.status.LeasesFile
	a, err := agent.New(s.router, s.cfg.Version, s.cfg.Log)
	if err != nil {
		return err
	}
	ready := make(chan struct{})
	s.run("router's agent", func(ctx context.Context) error { return a.Run(ctx, func() { close(ready) }) })
	select {
	case <-ready:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// pair is 'lethe-agent pair --wait' and 'lethe pair'. The device gets the
// wire's address for the relay's.
func (s *stage) pair() (err error) {
	if s.device, err = device.Open(s.path("device")); err != nil {
		return err
	}
	return s.router.Pair(s.ctx, true, func(e agent.PairingEvent) error {
		if e.Paired {
			return nil
		}
		uri, err := auth.ParsePairingURI(e.URI)
		if err != nil {
			return err
		}
		uri.Relay.Host = s.wire.proxy.Addr().String()
		s.uri = uri.String()
		_, err = s.device.Pair(s.ctx, uri, routerName, "demo-device")
		return err
	})
}

// connect opens the tunnel.
func (s *stage) connect() error {
	router, err := s.device.Router(routerName)
	if err != nil {
		return err
	}
	s.link = s.device.Link(router)
	s.cleanups = append(s.cleanups, s.link.Close)
	_, err = s.link.Tunnel(s.ctx)
	return err
}

// openPort is 'lethe forward'.
func (s *stage) openPort() error {
	l, err := net.Listen("tcp", loopback().String())
	if err != nil {
		return err
	}
	port := &proxy.Port{
		Listener: l,
		Open:     func(ctx context.Context) (splice.Conn, error) { return s.link.Open(ctx, serviceName) },
		Failed:   func(err error) { s.cfg.Log.Warn("connection failed", "error", err) },
	}
	s.url = "http://" + l.Addr().String() + "/"
	s.run("local port", func(ctx context.Context) error {
		port.Serve(ctx)
		return nil
	})
	return nil
}
