package bulk

import (
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/suite"
	"github.com/lethe-relay/lethe/bench/transfer"
)

// The lines.
const (
	directStock = "direct stock"
	relayedDown = "relayed down"
	relayedUp   = "relayed up"
	tenDown     = "ten down"
	tenUp       = "ten up"
	relayedFree = "relayed free"
	relayAlone  = "relay alone"
	aloneTen    = "relay alone, ten"
)

// The bars.
const (
	maxRelayCPU = 0.9  // CPU seconds per GB, with real QUIC endpoints
	minOfDirect = 1.1  // of what two stock quic-go endpoints reach directly
	maxAloneCPU = 0.20 // CPU seconds per GB, with GSO batches

	ten      = 10 // tunnels, or sessions
	vsDirect = "vs_direct"
)

// Scenario returns the scenario.
func Scenario() suite.Scenario {
	one, several := []string{relayedDown, relayedUp}, []string{tenDown, tenUp}
	relayCPU := "relay" + transfer.PerGigabyte
	return suite.Scenario{
		Name:  "bulk",
		About: "streams that move as much as they can",
		Lines: []suite.Line{
			{Name: directStock, Measure: transfer.Direct},
			{Name: relayedDown, Measure: transfer.Tunnels{Direction: part.Down, Count: 1}.Measure},
			{Name: relayedUp, Measure: transfer.Tunnels{Direction: part.Up, Count: 1}.Measure},
			{Name: tenDown, Measure: transfer.Tunnels{Direction: part.Down, Count: ten}.Measure, Long: true},
			{Name: tenUp, Measure: transfer.Tunnels{Direction: part.Up, Count: ten}.Measure, Long: true},
			{Name: relayedFree, Measure: transfer.Tunnels{Direction: part.Down, Count: 1, Free: true}.Measure},
			{Name: relayAlone, Measure: transfer.Alone(1)},
			{Name: aloneTen, Measure: transfer.Alone(ten), Long: true},
		},
		Derive: func(round map[string]suite.Sample) {
			direct := round[directStock][transfer.GigabitsPerS]
			for _, sample := range round {
				sample[vsDirect] = sample[transfer.GigabitsPerS] / direct
			}
		},
		Charts: charts(),
		Columns: []suite.Column{
			{Figure: transfer.GigabitsPerS, Head: "Gbit/s", Decimals: 2, Spread: true},
			{Figure: vsDirect, Head: "× direct stock", Decimals: 2, Spread: true},
			{Figure: relayCPU, Head: "relay CPU-s/GB", Decimals: 2, Spread: true},
			{Figure: "sender" + transfer.PerGigabyte, Head: "sender", Decimals: 2},
			{Figure: "receiver" + transfer.PerGigabyte, Head: "receiver", Decimals: 2},
			{Figure: "datagrams_per_message", Head: "datagrams/batch", Decimals: 1},
			{Figure: "messages_per_read", Head: "batches/read", Decimals: 1},
			{Figure: "lost_percent", Head: "lost %", Decimals: 2},
		},
		Bars: []suite.Bar{
			{What: "CPU-s/GB of the relay with real QUIC endpoints", Figure: relayCPU, Lines: append(one, several...), AtMost: maxRelayCPU},
			{What: "relayed throughput as a part of direct stock", Figure: vsDirect, Lines: one, AtLeast: minOfDirect},
			{What: "CPU-s/GB of the relay alone", Figure: relayCPU, Lines: []string{relayAlone}, AtMost: maxAloneCPU},
		},
	}
}
