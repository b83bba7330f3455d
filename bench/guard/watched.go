package guard

import "github.com/lethe-relay/lethe/bench/suite"

// Watch is a value that shall not get worse: a figure of a line, divided by
// others of the same run.
type Watch struct {
	Scenario, Line, Figure string

	Of  string   // the line of the divisor; empty: the same line
	Per []string // its figures, which are added up; none: the figure is taken as it is

	Tolerance float64 // how much worse it may be, as a part of the committed value
	More      bool    // more is better, and not less
}

// Watched are all values that scenarios give. Tolerances are what the same code
// was seen to differ by from run to run on a small machine that is shared with
// others, and some more.
//
// Of the scenario endpoint this is what there is to watch, too: its line "relayed
// lethe" is bulk's "relayed down", whose ends are watched here. Objects that the ends
// allocate for a packet differed by 2 %. Not watched are idle, whose shortest line takes
// longer than half of this, and latency, whose p99 jumps by more than any tolerance
// that would notice a doubling.
func Watched() []Watch {
	const perDatagram = "relay_cpu_us_per_datagram"
	stock := []string{"sender_cpu_s_per_gb", "receiver_cpu_s_per_gb"}
	return []Watch{
		{Scenario: "bulk", Line: "relayed down", Figure: "relay_cpu_s_per_gb", Of: "direct stock", Per: stock, Tolerance: 0.3},
		{Scenario: "bulk", Line: "relayed up", Figure: "relay_cpu_s_per_gb", Of: "direct stock", Per: stock, Tolerance: 0.3},
		{Scenario: "bulk", Line: "relayed down", Figure: "receiver_cpu_s_per_gb", Of: "direct stock", Per: stock, Tolerance: 0.3},
		{Scenario: "bulk", Line: "relayed down", Figure: "sender_cpu_s_per_gb", Of: "direct stock", Per: stock, Tolerance: 0.3},
		{Scenario: "bulk", Line: "relayed down", Figure: "sender_allocs_per_packet", Tolerance: 0.1},
		{Scenario: "bulk", Line: "relayed down", Figure: "receiver_allocs_per_packet", Tolerance: 0.1},
		{Scenario: "bulk", Line: "relay alone", Figure: "relay_cpu_s_per_gb", Per: []string{suite.YardDatagram}, Tolerance: 0.3},
		{Scenario: "swarm", Line: "1000 sessions", Figure: perDatagram, Per: []string{suite.YardDatagram}, Tolerance: 0.3},
		{Scenario: "swarm", Line: "10000 sessions", Figure: perDatagram, Of: "10 sessions", Per: []string{perDatagram}, Tolerance: 0.3},
		{Scenario: "open", Line: "dial, all evidence", Figure: "relay_cpu_ms_per_open", Per: []string{suite.YardCrypto}, Tolerance: 0.3},
		{Scenario: "open", Line: "open, all evidence", Figure: "relay_cpu_ms_per_open", Per: []string{suite.YardCrypto}, Tolerance: 0.3},
		{Scenario: "open", Line: "dial, all evidence", Figure: "router_cpu_ms_per_open", Per: []string{suite.YardCrypto}, Tolerance: 0.3},
		{Scenario: "open", Line: "open, refused", Figure: "relay_cpu_ms_per_open", Per: []string{suite.YardCrypto}, Tolerance: 0.3},
	}
}
