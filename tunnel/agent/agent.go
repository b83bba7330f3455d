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
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
	"github.com/lethe-relay/lethe/tunnel/agent/pin"
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
	issuer   issuer
	services map[string]service.Service
	admin    net.Listener
	unlock   func()

	// what it keeps
	devices     *devices
	invitations *invitations
	pairing     *pairing
	approvals   *approvals
	pins        *pin.Checker
	journal     *journal.Journal

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
	if a.issuer.policy, err = cfg.ECV.policy(); err != nil {
		return nil, err
	}
	a.issuer.router = a.identity
	for _, s := range cfg.Services {
		a.services[s.Name] = s
	}
	if a.unlock, err = statefile.Lock(cfg.dir); err != nil {
		return nil, err
	}
	if err := a.load(); err != nil {
		a.unlock()
		return nil, err
	}
	return a, nil
}

// load reads what the agent keeps; the caller holds the directory's lock.
func (a *Agent) load() (err error) {
	cfg := a.cfg
	if a.devices, err = loadDevices(cfg.path(devicesFile)); err != nil {
		return err
	}
	if a.invitations, err = loadInvitations(cfg.path(invitationsFile), a.RouterID()); err != nil {
		return err
	}
	if a.pins, err = pin.Open(cfg.path(pinFile)); err != nil {
		return err
	}
	a.approvals = &approvals{waiting: make(map[auth.DeviceID]*waiting)}
	a.pairing = &pairing{
		issuer: a.issuer, name: cfg.Name, relay: cfg.Relay,
		devices: a.devices, invitations: a.invitations, may: a.mayShare,
	}
	if a.admin, err = localsock.Listen(cfg.path(socketFile)); err != nil {
		return err
	}
	if a.journal, err = journal.Open(cfg.path(journalFile)); err != nil {
		a.admin.Close()
		return err
	}
	if damaged := a.journal.Damaged(); damaged > 0 {
		a.log.Warn("the log of decisions has lines that can't be read", "lines", damaged)
	}
	return nil
}

// RouterID is the router's name to the world.
func (a *Agent) RouterID() auth.RouterID { return a.identity.RouterID() }

// Run serves until ctx ends, which is no error. ready is called once, when the
// router is registered. It may be called once.
func (a *Agent) Run(ctx context.Context, ready func()) error {
	defer a.unlock()
	defer a.save()
	ctx, cancel := context.WithCancel(ctx)
	defer a.streams.Wait()
	defer a.admin.Close()
	defer cancel()
	a.streams.Go(func() { a.serveAdmin(ctx) })
	a.streams.Go(func() { a.retain(ctx) })
	listener, err := tunnel.Listen(ctx, tunnel.ListenConfig{
		Identity:    a.identity,
		Relay:       a.cfg.Relay,
		Version:     a.version,
		Admit:       func(d tunnel.Device) bool { return a.devices.admits(d.ID(), d.Grant.Serial) },
		Revocations: a.devices.revoked,
		Pairing:     &tunnel.Pairing{Open: a.pairing.isOpen, Pair: a.pair},
		Judging:     &tunnel.Judging{Judge: a.judge, Confirm: a.confirm},
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

// flush writes what was not worth writing at once.
func (a *Agent) flush() {
	if err := a.devices.flush(); err != nil {
		a.log.Warn("when and where devices were last used is not saved", "error", err)
	}
}

// save writes at the end what is not written yet.
func (a *Agent) save() {
	a.flush()
	if err := a.journal.Close(); err != nil {
		a.log.Warn("last decisions not logged", "error", err)
	}
}

// serve connects one stream to its service. A device that has paired again may
// still have a tunnel from before, with what it was granted then.
func (a *Agent) serve(ctx context.Context, s *tunnel.Stream) {
	if d := s.Device(); !a.devices.stillGood(d.ID(), d.Grant.Serial) {
		s.Refuse(string(wire.CodeGrantRevoked))
		return
	}
	switch s.Service() {
	case service.NameStatus:
		a.status(s)
	case service.NameUnpair:
		a.unpair(s)
	case service.NameManage:
		a.serveManage(s, []auth.Role{auth.RoleOwner, auth.RoleAdmin}, a.manage)
		s.Close()
	case service.NamePersonal:
		a.serveManage(s, everybody[:], a.personal)
		s.Close()
	case service.NameForget:
		a.serveForget(s)
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

// pair takes a device onto the list.
func (a *Agent) pair(attempt tunnel.PairAttempt) (grant []byte, routerName string, err error) {
	grant, routerName, err = a.pairing.pair(attempt)
	if err == nil {
		id := auth.DeviceIDOf(attempt.Device)
		one, _ := a.devices.get(id)
		a.note(journal.Entry{At: time.Now(), Device: id, Event: journal.Paired, By: one.SharedBy})
	}
	return grant, routerName, err
}

// unpair takes the device that asks off the list, tells it so, and ends its tunnels.
func (a *Agent) unpair(s *tunnel.Stream) {
	id := s.Device().ID()
	if _, err := a.devices.remove(id); err != nil {
		a.log.Error("device not unpaired", "error", err)
		s.Refuse(string(wire.CodeInternal))
		return
	}
	a.clean(id)
	a.log.Info("device unpaired")
	a.note(journal.Entry{At: time.Now(), Device: id, Event: journal.Left})
	s.Ready()
	a.dismiss(s)
}

// everybody are all roles.
var everybody = [...]auth.Role{auth.RoleOwner, auth.RoleAdmin, auth.RoleGuest}

// serveForget erases what is held about the device that asks, which loses its
// tunnels when it has read that.
func (a *Agent) serveForget(s *tunnel.Stream) {
	defer s.Close()
	a.serveManage(s, everybody[:], a.withdraw)
	if _, known := a.devices.get(s.Device().ID()); !known {
		a.dismiss(s)
	}
}

// dismiss ends the tunnels of a device that has left, when it has read our word.
func (a *Agent) dismiss(s *tunnel.Stream) {
	s.CloseWrite()
	s.SetReadDeadline(time.Now().Add(farewellTimeout))
	s.Read(make([]byte, 1)) // it closes its side then
	a.cut(s.Device().ID())
}
