package opens

import (
	"context"
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
	"github.com/lethe-relay/lethe/internal/wire"
)

// The lines.
const (
	grantOnly   = "grant only"
	allEvidence = "all evidence"
	refused     = "refused"
)

// The figures.
const (
	perS        = "opens_per_s"
	perOpen     = "_cpu_ms_per_open"
	vsGrantOnly = "vs_grant_only"
	median      = "dial_p50_ms"
	slow        = "dial_p99_ms"
)

const (
	devices        = 8 // at once, each with a key of its own
	minOfGrantOnly = 0.7
)

// Scenario returns the scenario.
func Scenario() suite.Scenario {
	return suite.Scenario{
		Name:  "opens",
		About: "devices that open tunnels and close them, eight at once",
		Lines: []suite.Line{
			{Name: grantOnly, Measure: setting{}.measure},
			{Name: allEvidence, Measure: setting{paired: secret(1), shown: secret(1)}.measure},
			{Name: refused, Measure: setting{paired: secret(1), shown: secret(2), refused: wire.CodeEnvDenied}.measure},
		},
		Derive: func(round map[string]suite.Sample) {
			base := round[grantOnly][perS]
			for _, sample := range round {
				sample[vsGrantOnly] = sample[perS] / base
			}
		},
		Columns: []suite.Column{
			{Figure: perS, Head: "opens/s", Spread: true},
			{Figure: vsGrantOnly, Head: "× grant only", Decimals: 2, Spread: true},
			{Figure: "relay" + perOpen, Head: "relay CPU-ms/open", Decimals: 2, Spread: true},
			{Figure: "devices" + perOpen, Head: "devices", Decimals: 2},
			{Figure: "router" + perOpen, Head: "router", Decimals: 2},
			{Figure: median, Head: "p50 ms", Decimals: 1},
			{Figure: slow, Head: "p99 ms", Decimals: 1},
		},
		Bars: []suite.Bar{
			{What: "opens/s with all evidence as a part of grant only", Figure: vsGrantOnly, Lines: []string{allEvidence}, AtLeast: minOfGrantOnly},
		},
	}
}

// secret is a pairing secret.
func secret(n byte) [32]byte { return [32]byte{n} }

// setting is what a line is made of.
type setting struct {
	paired  [32]byte  // the secret that the router knows; zero: it demands nothing
	shown   [32]byte  // the secret that the devices know
	refused wire.Code // of the relay; empty: they are allowed
}

func (l setting) measure(ctx context.Context, env suite.Env) (suite.Sample, error) {
	here, err := part.Here(time.Now())
	if err != nil {
		return nil, err
	}
	s := stage.New(ctx)
	defer s.Stop()
	cpus, _ := s.Split()
	_, url := s.StartRelay(env, cpus)
	router, visitors := s.Start("router", part.RouterPart, nil), s.Start("devices", part.DevicesPart, nil)
	host, cfg := s.NewRouter(), part.DevicesConfig{Refused: string(l.refused)}
	for range devices {
		guest := s.NewDevice(host, l.demand(here))
		cfg.Devices = append(cfg.Devices, part.DeviceConfig{
			Relay: url, Identity: guest.PEM, Router: host.ID, Grant: guest.Grant, Secret: l.shown,
		})
	}
	s.Ask(router, part.Open, part.RouterConfig{Relay: url, Identity: host.PEM, Secret: l.paired}, nil)
	s.Ask(visitors, part.Open, cfg, nil)
	s.Ask(visitors, part.Flow, struct{}{}, nil)
	span, err := stage.Measure(s, env, func() (o part.Opened) {
		s.Ask(visitors, part.Progress, struct{}{}, &o)
		return o
	})
	if err != nil {
		return nil, err
	}
	return figures(span)
}

// demand puts into a grant that everything must match what there is here. Then
// nobody is allowed by half of the evidence.
func (l setting) demand(here ecv.Evidence) func(*auth.Grant) {
	if l.paired == [32]byte{} {
		return nil
	}
	return func(g *auth.Grant) {
		g.Policy = &ecv.Policy{
			Weights: [ecv.Features]uint8{ecv.Account: 20, ecv.WiFi: 40, ecv.Geo: 20, ecv.Net: 20},
			Allow:   100, StepUp: 20, MaxAge: time.Hour,
		}
		vouched := ecv.ObservationKey(l.paired)
		entries := []ecv.Entry{
			{Feature: ecv.WiFi, ID: ecv.WiFiTagID(l.paired, *here.WiFi)},
			{Feature: ecv.Account, ID: vouched.TagID(ecv.Account, ecv.DeviceAccount(g.Device))},
			{Feature: ecv.Net, ID: vouched.TagID(ecv.Net, ecv.NetValue(netip.MustParseAddr("127.0.0.1")))},
		}
		for _, id := range ecv.GeoTagIDs(l.paired, *here.Place) {
			entries = append(entries, ecv.Entry{Feature: ecv.Geo, ID: id})
		}
		g.Accepted = ecv.NewAccepted(entries...)
	}
}
