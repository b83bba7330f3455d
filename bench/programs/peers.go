package programs

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/lethe-relay/lethe/bench/suite"
)

// A guess of what bench/peers does in each round.
const (
	peerLines   = 12
	peerStartUp = 4 * time.Second
)

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
				return time.Duration(o.Rounds*peerLines) * (2*o.Interval + peerStartUp)
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
