package bulk

import "github.com/lethe-relay/lethe/bench/suite"

// charts are the picture of the scenario.
func charts() []suite.Chart {
	return []suite.Chart{
		{Title: "payload, Gbit/s (logarithmic)", Log: true, Series: []suite.Series{{Figure: gigabitsPerS}}},
		{Title: "CPU-s/GB", Series: []suite.Series{
			{Name: "relay", Figure: "relay" + perGigabyte},
			{Name: "sender", Figure: "sender" + perGigabyte},
			{Name: "receiver", Figure: "receiver" + perGigabyte},
		}},
		{Title: "× direct stock (logarithmic)", Log: true, Series: []suite.Series{{Figure: vsDirect}}},
	}
}
