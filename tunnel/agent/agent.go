package agent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/localsock"
	"github.com/lethe-relay/lethe/internal/splice"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// farewellTimeout is how long an unpaired device may take to read that it is,
// before its tunnels end.
const farewellTimeout = 5 * time.Second

// Agent is a router's program.
type Agent struct {
	// static
	cfg      *Config
	version  string
	log      *slog.Logger
	identity *auth.Identity
	devices  *devices
	pairing  *pairing
	services map[string]service.Service
	admin    net.Listener
	unlock   func()

	listener atomic.Pointer[tunnel.Listener] // set by Run before streams come in
	streams  sync.WaitGroup
}

// New reads the agent's state and takes its directory. version is told to the
// relay and in the status. Logs get events and numbers, never an identity or
// an address.
func New(cfg *Config, version string, log *slog.Logger) (_ *Agent, err error) {
	a := &Agent{cfg: cfg, version: version, log: log, services: make(map[string]service.Service)}
	if a.identity, err = cfg.Identity(); err != nil {
		return nil, err
	}
	if a.unlock, err = statefile.Lock(cfg.dir); err != nil {
		return nil, err
	}
	if a.devices, err = loadDevices(cfg.path(devicesFile)); err != nil {
		a.unlock()
		return nil, err
	}
	if a.admin, err = localsock.Listen(cfg.path(socketFile)); err != nil {
		a.unlock()
		return nil, err
	}
	a.pairing = &pairing{router: a.identity, name: cfg.Name, relay: cfg.Relay, devices: a.devices}
	for _, s := range cfg.Services {
		a.services[s.Name] = s
	}
	return a, nil
}

// RouterID is the router's name to the world.
func (a *Agent) RouterID() auth.RouterID { return a.identity.RouterID() }

// Run serves until ctx ends, which is no error. ready is called once, when the
// router is registered. It may be called once.
func (a *Agent) Run(ctx context.Context, ready func()) error {
	defer a.unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer a.streams.Wait()
	defer a.admin.Close()
	defer cancel()
	a.streams.Go(func() { a.serveAdmin(ctx) })
	listener, err := tunnel.Listen(ctx, tunnel.ListenConfig{
		Identity:    a.identity,
		Relay:       a.cfg.Relay,
		Version:     a.version,
		Admit:       func(d tunnel.Device) bool { return a.devices.admits(d.ID(), d.Grant.Serial) },
		Revocations: a.devices.revoked,
		Pairing:     &tunnel.Pairing{Open: a.pairing.isOpen, Pair: a.pairing.pair},
		Log:         a.log,
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	a.listener.Store(listener)
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	ready()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return listener.Close()
		}
		a.streams.Go(func() { a.serve(ctx, conn.(*tunnel.Stream)) })
	}
}

// serve connects one stream to its service.
func (a *Agent) serve(ctx context.Context, s *tunnel.Stream) {
	switch s.Service() {
	case service.NameStatus:
		a.status(s)
	case service.NameUnpair:
		a.unpair(s)
	case service.NameManage:
		a.serveManage(s)
	default:
		a.forward(ctx, s)
	}
}

func (a *Agent) forward(ctx context.Context, s *tunnel.Stream) {
	to, known := a.services[s.Service()]
	if !known {
		s.Refuse(string(wire.CodeUnknownService))
		return
	}
	target, err := to.Dial(ctx)
	if err != nil {
		var down *service.DownError
		if errors.As(err, &down) {
			a.log.Warn("service down", "service", down.Service)
		}
		s.Refuse(string(wire.CodeServiceDown))
		return
	}
	stop := context.AfterFunc(ctx, func() {
		s.Abort()
		target.Close()
	})
	defer stop()
	if err := s.Ready(); err != nil {
		s.Abort()
		target.Close()
		return
	}
	up, down, _ := splice.Both(s, target)
	a.log.Debug("stream closed", "service", s.Service(), "up", up, "down", down)
}

func (a *Agent) status(s *tunnel.Stream) {
	defer s.Close()
	names := make([]string, 0, len(a.cfg.Services))
	for _, one := range a.cfg.Services {
		names = append(names, one.Name)
	}
	doc, err := json.MarshalIndent(service.CollectStatus(service.StatusConfig{
		LeasesFile: a.cfg.LeasesFile, Services: names, Version: a.version,
	}, time.Now()), "", "  ")
	if err != nil {
		s.Refuse(string(wire.CodeInternal))
		return
	}
	s.Write(append(doc, '\n'))
}

// unpair takes the device that asks off the list, tells it so, and ends its tunnels.
func (a *Agent) unpair(s *tunnel.Stream) {
	if _, err := a.devices.remove(s.Device().ID()); err != nil {
		a.log.Error("device not unpaired", "error", err)
		s.Refuse(string(wire.CodeInternal))
		return
	}
	a.log.Info("device unpaired")
	s.Ready()
	s.CloseWrite()
	s.SetReadDeadline(time.Now().Add(farewellTimeout))
	s.Read(make([]byte, 1)) // the device has read our word when it closes its side
	a.cut(s.Device().ID())
}
