package endpoint

import (
	"time"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/suite"
	"github.com/lethe-relay/lethe/bench/transfer"
)

// The lines.
const (
	directStock  = "direct stock"
	relayedStock = "relayed stock"
	relayedLethe = "relayed lethe"
	farDown      = "lethe, 100 ms"
	farUp        = "lethe up, 100 ms"
)

// Figures that compare lines.
const (
	vsDirect = "cpu_vs_direct" // CPU of both ends, as a part of direct stock
	vsStock  = "cpu_vs_stock"  // CPU of both ends and the relay, as a part of relayed stock
)

// The bars.
const (
	maxOfDirect = 0.9
	maxOfStock  = 0.8
	minFar      = 0.8 // Gbit/s at 100 ms
)

const far = 100 * time.Millisecond // round trip

// Scenario returns the scenario.
func Scenario() suite.Scenario {
	return suite.Scenario{
		Name:  "endpoint",
		About: "what the ends of a tunnel cost, and the window they fill",
		Lines: []suite.Line{
			{Name: directStock, Measure: transfer.Direct},
			{Name: relayedStock, Measure: transfer.Stock},
			{Name: relayedLethe, Measure: transfer.Tunnels{Direction: part.Down, Count: 1}.Measure},
			{Name: farDown, Measure: transfer.Tunnels{Direction: part.Down, Count: 1, Away: far}.Measure, Long: true, Takes: suite.After(6 * time.Second)},
			{Name: farUp, Measure: transfer.Tunnels{Direction: part.Up, Count: 1, Away: far}.Measure, Long: true, Takes: suite.After(6 * time.Second)},
		},
		Derive:  derive,
		Columns: columns(),
		Bars: []suite.Bar{
			{What: "CPU of Lethe's ends as a part of stock ends that have no relay", Figure: vsDirect, Lines: []string{relayedLethe}, AtMost: maxOfDirect},
			{What: "CPU of all three as a part of the same with stock ends", Figure: vsStock, Lines: []string{relayedLethe}, AtMost: maxOfStock},
			{What: "Gbit/s at 100 ms", Figure: transfer.GigabitsPerS, Lines: []string{farDown, farUp}, AtLeast: minFar},
		},
	}
}

func columns() []suite.Column {
	return []suite.Column{
		{Figure: transfer.GigabitsPerS, Head: "Gbit/s", Decimals: 2, Spread: true},
		{Figure: "sender" + transfer.PerGigabyte, Head: "sender CPU-s/GB", Decimals: 2, Spread: true},
		{Figure: "receiver" + transfer.PerGigabyte, Head: "receiver", Decimals: 2, Spread: true},
		{Figure: "relay" + transfer.PerGigabyte, Head: "relay", Decimals: 2, Spread: true},
		{Figure: vsDirect, Head: "ends × direct", Decimals: 2, Spread: true},
		{Figure: vsStock, Head: "all × stock", Decimals: 2, Spread: true},
		{Figure: "sender" + transfer.PerPacket, Head: "sender allocs/packet", Decimals: 2},
		{Figure: "receiver" + transfer.PerPacket, Head: "receiver", Decimals: 2},
	}
}

// derive compares CPU time, not throughput: it hardly depends on what else the
// machine does.
func derive(round map[string]suite.Sample) {
	direct, stock := ends(round[directStock]), all(round[relayedStock])
	for _, sample := range round {
		sample[vsDirect] = ends(sample) / direct
		if _, relayed := sample["relay"+transfer.PerGigabyte]; relayed {
			sample[vsStock] = all(sample) / stock
		}
	}
}

// ends is what both ends cost, in CPU seconds per GB.
func ends(s suite.Sample) float64 {
	return s["sender"+transfer.PerGigabyte] + s["receiver"+transfer.PerGigabyte]
}

// all is the same, and the relay.
func all(s suite.Sample) float64 { return ends(s) + s["relay"+transfer.PerGigabyte] }
