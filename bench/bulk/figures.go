package bulk

import (
	"errors"
	"time"

	"github.com/lethe-relay/lethe/bench/suite"
)

var errNothing = errors.New("nothing arrived in the measured time")

// figures makes a sample of what lies between two readings. A GB is 10⁹ bytes
// of payload that the receiver has checked.
func figures(roles []string, before, after reading) (suite.Sample, error) {
	bytes := float64(after.moved.Received - before.moved.Received)
	if bytes == 0 {
		return nil, errNothing
	}
	s := suite.Sample{gigabitsPerS: bytes * 8 / after.at.Sub(before.at).Seconds() / 1e9}
	for i, role := range roles {
		s[role+perGigabyte] = (after.cpu[i] - before.cpu[i]).Seconds() / (bytes / gigabyte)
		s[role+"_cores"] = cores(after.cpu[i]-before.cpu[i], after.at.Sub(before.at))
	}
	messages := float64(after.relay.Messages - before.relay.Messages)
	if messages == 0 {
		return s, nil
	}
	datagrams := float64(after.relay.Datagrams - before.relay.Datagrams)
	s["datagrams_per_message"] = datagrams / messages
	s["messages_per_read"] = messages / float64(after.relay.Reads-before.relay.Reads)
	s["dropped_by_relay"] = float64(after.relay.Dropped - before.relay.Dropped)
	s["lost_percent"] = 100 * float64(after.moved.Lost-before.moved.Lost) / datagrams
	return s, nil
}

// cores is how many processors a process has kept busy.
func cores(cpu, elapsed time.Duration) float64 { return cpu.Seconds() / elapsed.Seconds() }
