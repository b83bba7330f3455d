package programs

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/lethe-relay/lethe/bench/suite"
)

// peerWorks is how many measurements bench/peers makes in each round where all relays
// are there: five of each that carries datagrams, three of streams, two of no relay.
const peerWorks = 5*5 + 2*3 + 2

// Peers returns the scenario of the same work done by other relays. Its lines
// and columns are in bench/peers, a module of its own, which has the other
// relays among its requirements.
func Peers() suite.Scenario {
	return suite.Scenario{
		Name:  "peers",
		About: "the same work, done by other relays",
		Long:  true,
		Bars:  PeerBars(),
		Elsewhere: &suite.Elsewhere{
			Takes: func(o suite.Options) time.Duration {
				return time.Duration(o.Rounds*peerWorks) * o.Usual()
			},
			Measure: comparePeers,
		},
	}
}

// comparePeers runs the comparison.
func comparePeers(ctx context.Context, o suite.Options) (*suite.Result, error) {
	root, err := Root(ctx)
	if err != nil {
		return nil, err
	}
	p := program{dir: filepath.Join(root, "bench", "peers"), pkg: "."}
	var report suite.Report
	err = p.run(ctx, o, &report,
		"--rounds", strconv.Itoa(o.Rounds), "--seconds", strconv.FormatFloat(o.Interval.Seconds(), 'g', -1, 64))
	if err != nil {
		return nil, err
	}
	return only(&report)
}

// only is the one result of a report.
func only(r *suite.Report) (*suite.Result, error) {
	if len(r.Scenarios) != 1 {
		return nil, fmt.Errorf("the report has %d scenarios, and should have one", len(r.Scenarios))
	}
	return r.Scenarios[0], nil
}
