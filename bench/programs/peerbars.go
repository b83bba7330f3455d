package programs

import "github.com/lethe-relay/lethe/bench/suite"

// PeerBars are what Lethe has to reach beside other relays. They are stated here,
// so that they are known where the comparison can't be made, and judged by
// bench/peers, whose figures and lines they name.
func PeerBars() []suite.Bar {
	lethe := []string{"Lethe"}
	return []suite.Bar{
		{What: "bulk, as many times coturn client to client", Figure: "bulk_vs_coturn", Lines: lethe, AtLeast: 15},
		{What: "bulk, CPU-s/GB of the relay", Figure: "bulk_relay_cpu_s_per_gb", Lines: lethe, AtMost: 0.20},
		{What: "1,000 sessions, datagrams per CPU second, as many times coturn client to client", Figure: "swarm1000_vs_coturn", Lines: lethe, AtLeast: 2.5},
		{What: "added p50 as a part of the least of all others", Figure: "added_p50_vs_best_peer", Lines: lethe, AtMost: 1},
	}
}
