package bulk

import (
	"context"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
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
	m := newMeasurement(ctx)
	defer m.stop()
	server, client := m.start("sender", part.ServerPart, nil), m.start("receiver", part.ClientPart, nil)
	var ready part.ServerReady
	m.ask(server, part.Open, struct{}{}, &ready)
	m.ask(client, part.Open, ready, nil)
	m.ask(client, part.Flow, part.Down, nil)
	return m.sample(env, client, nil)
}

// measureRelayed is a tunnel through a relay that is pinned to one processor,
// or is not.
func measureRelayed(direction string, pinned bool) func(context.Context, suite.Env) (suite.Sample, error) {
	return func(ctx context.Context, env suite.Env) (suite.Sample, error) {
		m := newMeasurement(ctx)
		defer m.stop()
		var cpus []int
		if pinned {
			cpus, _ = m.split()
		}
		relay, url := m.startRelay(env, cpus)
		sender, receiver := "sender", "receiver"
		if direction == part.Up {
			sender, receiver = receiver, sender
		}
		router, device := m.start(sender, part.RouterPart, nil), m.start(receiver, part.DevicePart, nil)
		who := m.people()
		m.ask(router, part.Open, part.RouterConfig{Relay: url, Identity: who.routerPEM}, nil)
		m.ask(device, part.Open, part.DeviceConfig{Relay: url, Identity: who.devicePEM, Router: who.router, Grant: who.grant}, nil)
		m.ask(device, part.Flow, direction, nil)
		at := map[string]*proc.Child{part.Down: device, part.Up: router}[direction]
		return m.sample(env, at, relay)
	}
}

// measureAlone is the relay with the cheapest endpoints there are.
func measureAlone(ctx context.Context, env suite.Env) (suite.Sample, error) {
	m := newMeasurement(ctx)
	defer m.stop()
	own, others := m.split()
	relay, url := m.startRelay(env, own)
	ends := m.start("ends", part.DatagramsPart, others)
	who := m.people()
	m.ask(ends, part.Open, part.DatagramsConfig{Relay: url, Router: who.routerPEM, Device: who.devicePEM, Grant: who.grant}, nil)
	m.ask(ends, part.Flow, part.Up, nil)
	return m.sample(env, ends, relay)
}
