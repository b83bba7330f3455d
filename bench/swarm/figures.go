package swarm

import (
	"errors"

	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

var errNothing = errors.New("nothing arrived in the measured time, or a session got nothing")

// figures makes a sample of what was measured. What a core can do is what arrived,
// divided by the relay's CPU seconds.
func figures(span stage.Span[counted]) (suite.Sample, error) {
	before, after := span.Before, span.After
	arrived := float64(after.swarm.Received - before.swarm.Received)
	cpu := span.CPU["relay"].Seconds()
	if arrived == 0 || cpu == 0 || after.swarm.Least == 0 {
		return nil, errNothing
	}
	s := suite.Sample{
		perS:               span.Rate(arrived),
		perCore:            arrived / cpu,
		lost:               100 * float64(after.swarm.Lost-before.swarm.Lost) / float64(after.swarm.Sent-before.swarm.Sent),
		"dropped_by_relay": float64(after.relay.Dropped - before.relay.Dropped),
	}
	span.CPUFigures(s, perDatagram, arrived, 1e6)
	if reads := after.relay.Reads - before.relay.Reads; reads > 0 {
		s[perRead] = float64(after.relay.Messages-before.relay.Messages) / float64(reads)
	}
	return s, nil
}
