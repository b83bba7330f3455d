package swarm

import "github.com/lethe-relay/lethe/bench/suite"

// sessionsFigure is how many sessions a line has, for the axis of its charts.
const sessionsFigure = "sessions"

// charts are the picture of the scenario: flat is the goal.
func charts() []suite.Chart {
	over := func(title, figure string) suite.Chart {
		return suite.Chart{Title: title, Series: []suite.Series{{Figure: figure}}, Over: sessionsFigure, OverTitle: "sessions"}
	}
	return []suite.Chart{
		over("datagrams/s per core of the relay", perCore),
		over("relay CPU-µs/datagram", "relay"+perDatagram),
	}
}
