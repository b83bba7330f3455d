package transfer

import (
	"errors"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// Names of figures.
const (
	GigabitsPerS = "gbit_per_s"
	PerGigabyte  = "_cpu_s_per_gb"      // behind the role: relay, sender, receiver
	PerPacket    = "_allocs_per_packet" // the same
)

const (
	gigabyte = 1e9  // bytes
	packet   = 1400 // bytes of payload in a datagram, about
)

var errNothing = errors.New("nothing arrived in the measured time")

// counted is where the counters of a flow stand.
type counted struct {
	moved part.Moved // by the receivers
	sent  part.Moved // by the senders
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
	s := suite.Sample{GigabitsPerS: span.Rate(bytes) * 8 / 1e9}
	span.CPUFigures(s, PerGigabyte, bytes/gigabyte, 1)
	allocs(s, "sender", before.sent, after.sent, bytes)
	allocs(s, "receiver", before.moved, after.moved, bytes)
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

// allocs adds the objects that a role has allocated, if it says so.
func allocs(s suite.Sample, role string, before, after part.Moved, bytes float64) {
	if after.Allocs > 0 {
		s[role+PerPacket] = float64(after.Allocs-before.Allocs) / (bytes / packet)
	}
}
