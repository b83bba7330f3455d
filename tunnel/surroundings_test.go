package tunnel_test

import (
	"context"
	"crypto/ed25519"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// soon is how fast a verdict that has become worse ends a tunnel.
const soon = time.Second

// pairingSecret is what device and router share in these tests.
func pairingSecret() [32]byte { return [32]byte{1: 7, 31: 9} }

// surroundings are an Environment whose place the test decides.
type surroundings struct {
	mu    sync.Mutex
	here  ecv.Evidence
	asked int
}

func (s *surroundings) Evidence(context.Context) (ecv.Evidence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.here, nil
}

func (s *surroundings) moveTo(e ecv.Evidence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.here = e
}

func (s *surroundings) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// at is what a device sees in a network.
func at(t testing.TB, ssid string, latitude, longitude float64) ecv.Evidence {
	t.Helper()
	seen := time.Unix(time.Now().Unix(), 0).UTC() // as it travels
	place, err := ecv.PlaceAt(latitude, longitude, seen)
	if err != nil {
		t.Fatal(err)
	}
	return ecv.Evidence{WiFi: &ecv.Network{SSID: ssid, BSSID: [6]byte{2, 4, 6, 8, 10, 12}, Seen: seen}, Place: &place}
}

func atHome(t testing.TB) ecv.Evidence { return at(t, "attic window", 47.37, 8.54) }
func atCafe(t testing.TB) ecv.Evidence { return at(t, "cafe in the harbour", 53.54, 9.98) }

func isEmpty(e ecv.Evidence) bool { return e.WiFi == nil && e.Place == nil }

func sameEvidence(a, b ecv.Evidence) bool {
	return (a.WiFi == nil) == (b.WiFi == nil) && (a.Place == nil) == (b.Place == nil) &&
		(a.WiFi == nil || *a.WiFi == *b.WiFi) && (a.Place == nil || *a.Place == *b.Place)
}

// dialFrom is the device's configuration in these surroundings.
func (w *world) dialFrom(env tunnel.Environment) tunnel.DialConfig {
	cfg := w.dialConfig()
	cfg.Environment, cfg.Router.Secret = env, pairingSecret()
	return cfg
}

// court is a router's judge that the test can watch.
type court struct {
	rule  func(tunnel.Case) tunnel.Ruling
	cases chan tunnel.Case
}

func newCourt(rule func(tunnel.Case) tunnel.Ruling) *court {
	return &court{rule: rule, cases: make(chan tunnel.Case, 1000)}
}

func (c *court) judging() *tunnel.Judging {
	return &tunnel.Judging{Judge: func(on tunnel.Case) tunnel.Ruling {
		c.cases <- on
		return c.rule(on)
	}}
}

// next is the case that is judged next.
func (c *court) next(t testing.TB) tunnel.Case {
	t.Helper()
	select {
	case on := <-c.cases:
		return on
	case <-time.After(patience):
		t.Fatal("nothing is judged")
		return tunnel.Case{}
	}
}

func ruled(v ecv.Verdict, reasons ...ecv.Reason) tunnel.Ruling {
	return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: v, Score: 40, Reasons: reasons}, Needed: 60, PIN: true}
}

// always rules the same.
func always(v ecv.Verdict, reasons ...ecv.Reason) func(tunnel.Case) tunnel.Ruling {
	return func(tunnel.Case) tunnel.Ruling { return ruled(v, reasons...) }
}

// homeOnly lets in who shows the evidence of home.
func homeOnly(t testing.TB) func(tunnel.Case) tunnel.Ruling {
	home := atHome(t)
	return func(c tunnel.Case) tunnel.Ruling {
		if c.Evidence.WiFi != nil && c.Evidence.WiFi.SSID == home.WiFi.SSID {
			return ruled(ecv.Allow, "wifi_matched")
		}
		return ruled(ecv.StepUp, "wifi_unknown", ecv.ScoreLow)
	}
}

// wantReasons checks that a refusal says why.
func wantReasons(t testing.TB, err error, by, code string, reasons ...ecv.Reason) {
	t.Helper()
	wantRefusal(t, err, by, code)
	if refused, ok := err.(*tunnel.RefusedError); !ok || !slices.Equal(refused.Reasons, reasons) {
		t.Errorf("%#v, want the reasons %q", err, reasons)
	}
}

// answerOf is what the router says to a stream for the service.
func (w *world) answerOf(t *tunnel.Tunnel, service string) error {
	w.t.Helper()
	s := w.open(t, service)
	s.SetReadDeadline(time.Now().Add(patience))
	return s.Ready()
}

// wantEnd checks that the tunnel ends, and why.
func wantEnd(t testing.TB, tun *tunnel.Tunnel, within time.Duration, code string, reasons ...ecv.Reason) {
	t.Helper()
	select {
	case <-tun.Done():
		wantReasons(t, tun.Err(), "router", code, reasons...)
	case <-time.After(within):
		t.Fatalf("the tunnel lives on after %v", within)
	}
}

// learnedHome is what a router that has learned a device's home accepts.
func learnedHome(t testing.TB, device ed25519.PublicKey) ecv.Accepted {
	secret, home := pairingSecret(), atHome(t)
	key := ecv.ObservationKey(secret)
	entries := []ecv.Entry{
		{Feature: ecv.Account, ID: key.TagID(ecv.Account, ecv.DeviceAccount(device))},
		{Feature: ecv.WiFi, ID: ecv.WiFiTagID(secret, *home.WiFi)},
		{Feature: ecv.Net, ID: key.TagID(ecv.Net, ecv.NetValue(loopback4.Addr()))},
		{Feature: ecv.ASN, ID: key.TagID(ecv.ASN, ecv.ASNValue(64500))},
		{Feature: ecv.Country, ID: key.TagID(ecv.Country, ecv.CountryValue("CH"))},
	}
	for _, id := range ecv.GeoTagIDs(secret, *home.Place) {
		entries = append(entries, ecv.Entry{Feature: ecv.Geo, ID: id})
	}
	return ecv.NewAccepted(entries...)
}

// byPolicy judges as a router does that goes by what it has learned.
func byPolicy(accepted ecv.Accepted) func(tunnel.Case) tunnel.Ruling {
	policy := &ecv.Policy{
		Weights: [ecv.Features]uint8{ecv.Account: 20, ecv.WiFi: 40, ecv.Geo: 20, ecv.Net: 20, ecv.ASN: 10, ecv.Country: 10},
		Allow:   80, StepUp: 20, MaxAge: time.Hour,
	}
	return func(c tunnel.Case) tunnel.Ruling {
		found := ecv.CheckEvidence(c.Evidence, pairingSecret(), accepted, policy.MaxAge, time.Now())
		found[ecv.Account] = ecv.CheckVouched(ecv.Account, c.Vouched.Account, accepted)
		found[ecv.Net] = ecv.CheckVouched(ecv.Net, c.Vouched.Net, accepted)
		found[ecv.ASN] = ecv.CheckVouched(ecv.ASN, c.Vouched.ASN, accepted)
		found[ecv.Country] = ecv.CheckVouched(ecv.Country, c.Vouched.Country, accepted)
		return tunnel.Ruling{Judgement: policy.JudgeSession(found, []string{auth.AllServices}), Needed: policy.Allow}
	}
}

// everything is what a relay says that vouches for all that a grant accepts.
func everything(accepted ecv.Accepted) (v wire.Vouched) {
	for _, e := range accepted.Entries() {
		switch e.Feature {
		case ecv.Account:
			v.Account = wire.TagID(e.ID)
		case ecv.Net:
			v.Net = wire.TagID(e.ID)
		case ecv.ASN:
			v.ASN = wire.TagID(e.ID)
		case ecv.Country:
			v.Country = wire.TagID(e.ID)
		}
	}
	return v
}
