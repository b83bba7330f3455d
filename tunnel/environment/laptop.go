package environment

import (
	"context"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// Laptop collects the evidence of a laptop. The zero value collects what it can.
type Laptop struct {
	WiFi  Given[ecv.Network] // of ParseWiFi
	Place Given[ecv.Place]   // of ParseLocation
}

// Evidence collects anew at each call and says that it was all seen now: what
// the user gave is true for as long as the program runs. It runs a few programs
// one after the other, each for at most a second, and leaves none behind. The
// only error is that of ctx, when it ended.
func (l Laptop) Evidence(ctx context.Context) (ecv.Evidence, error) {
	network, place := l.WiFi.shown, l.Place.shown
	if !l.WiFi.said {
		network = connected(ctx)
	}
	if err := ctx.Err(); err != nil {
		return ecv.Evidence{}, err
	}
	return seen(time.Now(), network, place), nil
}

// seen copies what it is given, since the caller of Evidence owns the answer.
func seen(now time.Time, network *ecv.Network, place *ecv.Place) (e ecv.Evidence) {
	if network != nil {
		n := *network
		n.Seen = now
		e.WiFi = &n
	}
	if place != nil {
		p := *place
		p.Seen = now
		e.Place = &p
	}
	return e
}
