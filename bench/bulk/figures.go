package bulk

import (
	"errors"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

const gigabyte = 1e9 // bytes

var errNothing = errors.New("nothing arrived in the measured time")

// counted is where the counters of a flow stand.
type counted struct {
	moved part.Moved // by the receiver
	relay part.Carried
}

// figures makes a sample of what was measured. A GB is 10⁹ bytes of payload that
// the receiver has checked.
func figures(span stage.Span[counted]) (suite.Sample, error) {
	before, after := span.Before, span.After
	bytes := float64(after.moved.Received - before.moved.Received)
	if bytes == 0 {
		return nil, errNothing
	}
	s := suite.Sample{gigabitsPerS: span.Rate(bytes) * 8 / 1e9}
	span.CPUFigures(s, perGigabyte, bytes/gigabyte, 1)
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
