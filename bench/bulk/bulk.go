package bulk

import (
	"context"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// The lines.
const (
	directStock = "direct stock"
	relayedDown = "relayed down"
	relayedUp   = "relayed up"
	relayedFree = "relayed free"
	relayAlone  = "relay alone"
)

// The bars of the first figures.
const (
	maxRelayCPU  = 1.1 // CPU seconds per GB, with real QUIC endpoints
	minOfDirect  = 0.9 // of what two stock quic-go endpoints reach directly
	vsDirect     = "vs_direct"
	perGigabyte  = "_cpu_s_per_gb"
	gigabitsPerS = "gbit_per_s"
)

// Scenario returns the scenario.
func Scenario() suite.Scenario {
	relayed := []string{relayedDown, relayedUp}
	return suite.Scenario{
		Name:  "bulk",
		About: "one stream that moves as much as it can",
		Lines: []suite.Line{
			{Name: directStock, Measure: measureDirect},
			{Name: relayedDown, Measure: measureRelayed(part.Down, true)},
			{Name: relayedUp, Measure: measureRelayed(part.Up, true)},
			{Name: relayedFree, Measure: measureRelayed(part.Down, false)},
			{Name: relayAlone, Measure: measureAlone},
		},
		Derive: func(round map[string]suite.Sample) {
			direct := round[directStock][gigabitsPerS]
			for _, sample := range round {
				sample[vsDirect] = sample[gigabitsPerS] / direct
			}
		},
		Charts: charts(),
		Columns: []suite.Column{
			{Figure: gigabitsPerS, Head: "Gbit/s", Decimals: 2, Spread: true},
			{Figure: vsDirect, Head: "× direct stock", Decimals: 2, Spread: true},
			{Figure: "relay" + perGigabyte, Head: "relay CPU-s/GB", Decimals: 2, Spread: true},
			{Figure: "sender" + perGigabyte, Head: "sender", Decimals: 2},
			{Figure: "receiver" + perGigabyte, Head: "receiver", Decimals: 2},
			{Figure: "datagrams_per_message", Head: "datagrams/batch", Decimals: 1},
			{Figure: "messages_per_read", Head: "batches/read", Decimals: 1},
			{Figure: "lost_percent", Head: "lost %", Decimals: 2},
		},
		Bars: []suite.Bar{
			{What: "CPU-s/GB of the relay with real QUIC endpoints", Figure: "relay" + perGigabyte, Lines: relayed, AtMost: maxRelayCPU},
			{What: "relayed throughput as a part of direct stock", Figure: vsDirect, Lines: relayed, AtLeast: minOfDirect},
		},
	}
}

// measureDirect is a download between two stock endpoints.
func measureDirect(ctx context.Context, env suite.Env) (suite.Sample, error) {
	s := stage.New(ctx)
	defer s.Stop()
	server, client := s.Start("sender", part.ServerPart, nil), s.Start("receiver", part.ClientPart, nil)
	var ready part.ServerReady
	s.Ask(server, part.Open, struct{}{}, &ready)
	s.Ask(client, part.Open, ready, nil)
	s.Ask(client, part.Flow, part.Down, nil)
	return measure(s, env, client, nil)
}

// measureRelayed is a tunnel through a relay that is pinned to one processor,
// or is not.
func measureRelayed(direction string, pinned bool) func(context.Context, suite.Env) (suite.Sample, error) {
	return func(ctx context.Context, env suite.Env) (suite.Sample, error) {
		s := stage.New(ctx)
		defer s.Stop()
		var cpus []int
		if pinned {
			cpus, _ = s.Split()
		}
		relay, url := s.StartRelay(env, cpus)
		sender, receiver := "sender", "receiver"
		if direction == part.Up {
			sender, receiver = receiver, sender
		}
		router, device := s.Start(sender, part.RouterPart, nil), s.Start(receiver, part.DevicePart, nil)
		host := s.NewRouter()
		guest := s.NewDevice(host, nil)
		s.Ask(router, part.Open, part.RouterConfig{Relay: url, Identity: host.PEM}, nil)
		s.Ask(device, part.Open, part.DeviceConfig{Relay: url, Identity: guest.PEM, Router: host.ID, Grant: guest.Grant}, nil)
		s.Ask(device, part.Flow, direction, nil)
		at := map[string]*proc.Child{part.Down: device, part.Up: router}[direction]
		return measure(s, env, at, relay)
	}
}

// measureAlone is the relay with the cheapest endpoints there are.
func measureAlone(ctx context.Context, env suite.Env) (suite.Sample, error) {
	s := stage.New(ctx)
	defer s.Stop()
	own, others := s.Split()
	relay, url := s.StartRelay(env, own)
	ends := s.Start("ends", part.DatagramsPart, others)
	host := s.NewRouter()
	guest := s.NewDevice(host, nil)
	s.Ask(ends, part.Open, part.DatagramsConfig{Relay: url, Router: host.PEM, Device: guest.PEM, Grant: guest.Grant}, nil)
	s.Ask(ends, part.Flow, part.Up, nil)
	return measure(s, env, ends, relay)
}

// measure measures a flow that has begun. relay is nil where there is none.
func measure(s *stage.Stage, env suite.Env, receiver, relay *proc.Child) (suite.Sample, error) {
	span, err := stage.Measure(s, env, func() (c counted) {
		s.Ask(receiver, part.Progress, struct{}{}, &c.moved)
		if relay != nil {
			var moved part.Moved
			s.Ask(relay, part.Progress, struct{}{}, &moved)
			c.relay = moved.Relay
		}
		return c
	})
	if err != nil {
		return nil, err
	}
	return figures(span)
}
