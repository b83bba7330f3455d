package transfer

import (
	"context"
	"time"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// Direct measures a download between two stock endpoints.
func Direct(ctx context.Context, env suite.Env) (suite.Sample, error) {
	s := stage.New(ctx)
	defer s.Stop()
	server, client := s.Start("sender", part.ServerPart, nil), s.Start("receiver", part.ClientPart, nil)
	var ready part.ServerReady
	s.Ask(server, part.Open, part.ServerConfig{}, &ready)
	s.Ask(client, part.Open, part.ClientConfig{Addr: ready.Addr}, nil)
	s.Ask(client, part.Flow, part.Down, nil)
	return measure(s, env, ends{from: server, to: client})
}

// Stock measures a download between two stock endpoints whose sockets are the
// legs of a session.
func Stock(ctx context.Context, env suite.Env) (suite.Sample, error) {
	s := stage.New(ctx)
	defer s.Stop()
	own, _ := s.Split()
	relay, url := s.StartRelay(env, own)
	server, client := s.Start("sender", part.ServerPart, nil), s.Start("receiver", part.ClientPart, nil)
	host := s.NewRouter()
	guest := s.NewDevice(host, nil)
	s.Ask(server, part.Open, part.ServerConfig{Relay: url, Identity: host.PEM}, nil)
	s.Ask(client, part.Open, part.ClientConfig{Relay: url, Identity: guest.PEM, Router: host.ID, Grant: guest.Grant}, nil)
	s.Ask(client, part.Flow, part.Down, nil)
	return measure(s, env, ends{from: server, to: client, relay: relay})
}

// Tunnels is a flow through a relay.
type Tunnels struct {
	Direction string        // part.Down or part.Up
	Count     int           // of tunnels between one router and one device, at least 1
	Free      bool          // the relay may use all processors, and has a socket for each
	Away      time.Duration // added to the round trip between device and relay
}

// Measure measures it.
func (t Tunnels) Measure(ctx context.Context, env suite.Env) (suite.Sample, error) {
	s := stage.New(ctx)
	defer s.Stop()
	var cpus []int
	if !t.Free {
		cpus, _ = s.Split()
	}
	relay, url := s.StartRelay(env, cpus)
	sender, receiver := "sender", "receiver"
	if t.Direction == part.Up {
		sender, receiver = receiver, sender
	}
	router, device := s.Start(sender, part.RouterPart, nil), s.Start(receiver, part.DevicePart, nil)
	host := s.NewRouter()
	guest := s.NewDevice(host, nil)
	s.Ask(router, part.Open, part.RouterConfig{Relay: url, Identity: host.PEM}, nil)
	s.Ask(device, part.Open, part.DeviceConfig{
		Relay: t.away(s, url), Identity: guest.PEM, Router: host.ID, Grant: guest.Grant, Tunnels: t.Count,
	}, nil)
	s.Ask(device, part.Flow, t.Direction, nil)
	at := ends{from: router, to: device, relay: relay}
	if t.Direction == part.Up {
		at.from, at.to = at.to, at.from
	}
	if t.Away > 0 {
		s.Wait(settle)
	}
	return measure(s, env, at)
}

// settle is how long a flow of long round trips takes to find its rate.
const settle = 5 * time.Second

// away puts the relay farther away, if it shall be.
func (t Tunnels) away(s *stage.Stage, url string) string {
	if t.Away == 0 {
		return url
	}
	path := s.Start("path", part.PathPart, nil)
	var ready part.PathReady
	s.Ask(path, part.Open, part.PathConfig{Relay: url, Delay: t.Away / 2}, &ready)
	return ready.URL
}

// Alone returns what measures the relay with the cheapest endpoints there are,
// each session with a source and a sink in a process of its own.
func Alone(sessions int) func(context.Context, suite.Env) (suite.Sample, error) {
	return func(ctx context.Context, env suite.Env) (suite.Sample, error) {
		s := stage.New(ctx)
		defer s.Stop()
		own, others := s.Split()
		relay, url := s.StartRelay(env, own)
		at := ends{relay: relay}
		for range sessions {
			both := s.Start("ends", part.DatagramsPart, others)
			host := s.NewRouter()
			guest := s.NewDevice(host, nil)
			s.Ask(both, part.Open, part.DatagramsConfig{
				Relay: url, Router: host.PEM, Device: guest.PEM, Grant: guest.Grant, Sessions: sessions,
			}, nil)
			at.more = append(at.more, both)
		}
		for _, both := range at.more {
			s.Ask(both, part.Flow, part.Up, nil)
		}
		return measure(s, env, at)
	}
}

// ends are the processes of a flow that are asked how far it is. Those that
// there are not are nil.
type ends struct {
	from, to, relay *proc.Child
	more            []*proc.Child // both source and sink
}

// measure measures a flow that has begun.
func measure(s *stage.Stage, env suite.Env, at ends) (suite.Sample, error) {
	progress := func(of *proc.Child) (m part.Moved) {
		if of != nil {
			s.Ask(of, part.Progress, struct{}{}, &m)
		}
		return m
	}
	span, err := stage.Measure(s, env, func() counted {
		c := counted{moved: progress(at.to), sent: progress(at.from), relay: progress(at.relay).Relay}
		for _, child := range at.more {
			m := progress(child)
			c.moved.Received += m.Received
			c.moved.Lost += m.Lost
		}
		return c
	})
	if err != nil {
		return nil, err
	}
	return figures(span)
}
