package open

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
	dialGrantOnly   = "dial, grant only"
	dialAllEvidence = "dial, all evidence"
	dialRefused     = "dial, refused"
	openGrantOnly   = "open, grant only"
	openAllEvidence = "open, all evidence"
	openRefused     = "open, refused"
	openOneByOne    = "open, one by one"
)

const (
	devices        = 8 // at once, each with a key of its own
	minOfGrantOnly = 0.7
	minPerCore     = 1500 // opens per second of the relay's CPU time
)

// Scenario returns the scenario.
func Scenario() suite.Scenario {
	nothing := setting{devices: devices}
	everything := setting{devices: devices, paired: secret(1), shown: secret(1)}
	thieves := setting{devices: devices, paired: secret(1), shown: secret(2), refused: wire.CodeEnvDenied}
	alone := setting{devices: 1, paired: secret(1), shown: secret(1)}
	return suite.Scenario{
		Name:  "open",
		About: "sessions that are opened and ended, by eight devices at once",
		Lines: []suite.Line{
			{Name: dialGrantOnly, Measure: nothing.dial}, {Name: dialAllEvidence, Measure: everything.dial},
			{Name: dialRefused, Measure: thieves.dial},
			{Name: openGrantOnly, Measure: nothing.open}, {Name: openAllEvidence, Measure: everything.open},
			{Name: openRefused, Measure: thieves.open}, {Name: openOneByOne, Measure: alone.open},
		},
		Derive:  derive,
		Columns: columns(),
		Bars: []suite.Bar{
			{What: "opens/s per core of the relay, through the whole admission", Figure: perCore, Lines: []string{openAllEvidence}, AtLeast: minPerCore},
			{What: "dials/s per core of the relay, with all evidence as a part of grant only", Figure: vsGrantOnly, Lines: []string{dialAllEvidence}, AtLeast: minOfGrantOnly},
		},
	}
}

func columns() []suite.Column {
	return []suite.Column{
		{Figure: perS, Head: "opens/s", Spread: true},
		{Figure: perCore, Head: "per relay core", Spread: true},
		{Figure: vsGrantOnly, Head: "× grant only", Decimals: 2},
		{Figure: "relay" + perOpen, Head: "relay CPU-ms/open", Decimals: 2, Spread: true},
		{Figure: busy, Head: "relay busy", Decimals: 2},
		{Figure: "devices" + perOpen, Head: "devices", Decimals: 2},
		{Figure: "router" + perOpen, Head: "router", Decimals: 2},
		{Figure: median, Head: "p50 ms", Decimals: 1},
		{Figure: slow, Head: "p99 ms", Decimals: 1},
	}
}

// derive compares lines with the first of their kind, by what the relay's core
// could take of them: that says something on a busy machine, too.
func derive(round map[string]suite.Sample) {
	for base, lines := range map[string][]string{
		dialGrantOnly: {dialGrantOnly, dialAllEvidence, dialRefused},
		openGrantOnly: {openGrantOnly, openAllEvidence, openRefused},
	} {
		grantOnly := round[base][perCore]
		for _, line := range lines {
			round[line][vsGrantOnly] = round[line][perCore] / grantOnly
		}
	}
}

// secret is a pairing secret.
func secret(n byte) [32]byte { return [32]byte{n} }

// setting is what a line is made of.
type setting struct {
	devices int
	paired  [32]byte  // the secret that the router knows; zero: it demands nothing
	shown   [32]byte  // the secret that the devices know
	refused wire.Code // of the relay; empty: they are allowed
}

// dial measures tunnels, each with a control connection of its own.
func (l setting) dial(ctx context.Context, env suite.Env) (suite.Sample, error) {
	return l.measure(ctx, env, part.RouterPart, part.DevicesPart, true)
}

// open measures sessions on control connections that live.
func (l setting) open(ctx context.Context, env suite.Env) (suite.Sample, error) {
	return l.measure(ctx, env, part.EchoPart, part.CallersPart, false)
}

// measure has the one part answer what the other opens. They may use all
// processors, or those that the relay does not.
func (l setting) measure(ctx context.Context, env suite.Env, router, visitor string, everywhere bool) (suite.Sample, error) {
	here, err := part.Here(time.Now())
	if err != nil {
		return nil, err
	}
	s := stage.New(ctx)
	defer s.Stop()
	cpus, others := s.Split()
	if everywhere {
		others = nil
	}
	_, url := s.StartRelay(env, cpus)
	home, visitors := s.Start("router", router, others), s.Start("devices", visitor, others)
	host, cfg := s.NewRouter(), part.DevicesConfig{Refused: string(l.refused)}
	for range l.devices {
		guest := s.NewDevice(host, l.demand(here))
		cfg.Devices = append(cfg.Devices, part.DeviceConfig{
			Relay: url, Identity: guest.PEM, Router: host.ID, Grant: guest.Grant, Secret: l.shown,
		})
	}
	s.Ask(home, part.Open, part.RouterConfig{Relay: url, Identity: host.PEM, Secret: l.paired}, nil)
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

// demand puts into a grant that everything must match what there is here. Nobody is
// allowed by half of the evidence, nor let in to confirm: a session that was opened
// has had all of it checked.
func (l setting) demand(here ecv.Evidence) func(*auth.Grant) {
	if l.paired == [32]byte{} {
		return nil
	}
	return func(g *auth.Grant) {
		g.Policy = &ecv.Policy{
			Weights: [ecv.Features]uint8{ecv.Account: 20, ecv.WiFi: 40, ecv.Geo: 20, ecv.Net: 20},
			Allow:   100, StepUp: 100, MaxAge: time.Hour,
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
