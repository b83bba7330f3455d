package bulk

import (
	"github.com/lethe-relay/lethe/bench/suite"
	"github.com/lethe-relay/lethe/bench/transfer"
)

// charts are the picture of the scenario.
func charts() []suite.Chart {
	return []suite.Chart{
		{Title: "payload, Gbit/s (logarithmic)", Log: true, Series: []suite.Series{{Figure: transfer.GigabitsPerS}}},
		{Title: "CPU-s/GB", Series: []suite.Series{
			{Name: "relay", Figure: "relay" + transfer.PerGigabyte},
			{Name: "sender", Figure: "sender" + transfer.PerGigabyte},
			{Name: "receiver", Figure: "receiver" + transfer.PerGigabyte},
		}},
		{Title: "× direct stock (logarithmic)", Log: true, Series: []suite.Series{{Figure: vsDirect}}},
	}
}
