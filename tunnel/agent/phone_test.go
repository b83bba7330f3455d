package agent

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// strict is a policy of which status asks for less, and ssh for more.
const strict = `
services: [{name: http, target: "tcp:127.0.0.1:80"}, {name: ssh, target: "tcp:127.0.0.1:22"}]
ecv:
  allow: 60
  services: [{name: status, allow: 30}, {name: ssh, allow: 80, mandatory: [wifi]}]
`

// newAgent is an agent without a relay. Its parts are called directly.
func newAgent(t testing.TB, yaml string) *Agent {
	t.Helper()
	return startAgent(t, filepath.Join(t.TempDir(), "agent"), yaml)
}

// startAgent makes the agent of dir, which may be there already.
func startAgent(t testing.TB, dir, yaml string) *Agent {
	t.Helper()
	url, err := auth.ParseRelayURL(testRelay)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, configFile)
	if _, err := statefile.Read(path); err != nil {
		if _, err := Init(dir, url); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path, "relay: "+testRelay+"\n"+yaml, 0o600)
	cfg, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(cfg, "v0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	return a
}

// close ends an agent that was not run. It may be called twice.
func (a *Agent) close() {
	a.streams.Wait()
	a.save()
	a.admin.Close()
	a.unlock()
}

// phone is a device that has paired.
type phone struct {
	t      testing.TB
	a      *Agent
	id     *auth.Identity
	secret [32]byte
	device tunnel.Device // with the grant that it shows
	stored []byte        // the newest grant that it was given
}

func newPhone(t testing.TB, a *Agent, name string) *phone {
	t.Helper()
	o, err := a.pairing.open(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{t: t, a: a, id: newIdentity(t)}
	if err := p.pair(o.uri.Secret, name); err != nil {
		t.Fatal(err)
	}
	return p
}

// pair pairs with the secret of a URI.
func (p *phone) pair(secret auth.OneTimeSecret, name string) error {
	p.t.Helper()
	attempt := tunnelAttempt(p, secret)
	attempt.DeviceName = name
	raw, _, err := p.a.pair(attempt)
	if err != nil {
		return err
	}
	p.secret = auth.PairingSecret(secret, attempt.Exported.Secret)
	p.stored = raw
	p.useStored()
	return nil
}

// tunnelAttempt is a right one.
func tunnelAttempt(p *phone, secret auth.OneTimeSecret) tunnel.PairAttempt {
	attempt := tunnel.PairAttempt{Device: p.id.PublicKey(), Invitation: secret.ID()}
	attempt.Proof = auth.PairingProof(secret, attempt.Exported.Binding, attempt.Device, p.a.RouterID())
	return attempt
}

// useStored makes the phone show the newest grant that it was given.
func (p *phone) useStored() {
	p.t.Helper()
	grant, err := auth.Verify(p.stored, p.a.RouterID(), p.id.PublicKey(), time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	p.device = tunnel.Device{Key: p.id.PublicKey(), Grant: grant}
}

// surroundings that phones see.
type where struct {
	ssid     string // empty: no Wi-Fi
	lat, lon float64
	noPlace  bool
	net      string // an address, as the relay sees it; empty: the relay says nothing
	age      time.Duration
}

var (
	atHome = where{ssid: "kitchen", lat: 52.52, lon: 13.405, net: "192.0.2.1"}
	hotel  = where{ssid: "hotel", lat: 52.40, lon: 13.06, net: "198.51.100.1"}
	sydney = where{ssid: "harbour", lat: -33.87, lon: 151.21, net: "203.0.113.1"}
)

// at is what router and relay know of a phone that is there.
func (p *phone) at(w where) tunnel.Case {
	p.t.Helper()
	c, seen := tunnel.Case{Device: p.device}, time.Now().Add(-w.age)
	if w.ssid != "" {
		c.Evidence.WiFi = &ecv.Network{SSID: w.ssid, BSSID: [6]byte{2, 0, 0, 0, 0, 1}, Seen: seen}
	}
	if !w.noPlace {
		place, err := ecv.PlaceAt(w.lat, w.lon, seen)
		if err != nil {
			p.t.Fatal(err)
		}
		c.Evidence.Place = &place
	}
	if w.net != "" {
		key := ecv.ObservationKey(p.secret)
		c.Vouched.Account = key.TagID(ecv.Account, ecv.DeviceAccount(p.device.Key))
		c.Vouched.Net = key.TagID(ecv.Net, ecv.NetValue(netip.MustParseAddr(w.net)))
		c.Vouched.Country = key.TagID(ecv.Country, ecv.CountryValue("DE"))
		c.Vouched.ASN = key.TagID(ecv.ASN, ecv.ASNValue(64500))
	}
	return c
}

// open is a session: the admission, the judgement, and the grant that comes with it.
func (p *phone) open(w where) tunnel.Ruling {
	p.t.Helper()
	if !p.a.devices.admits(p.id.DeviceID(), p.device.Grant.Serial) {
		return tunnel.Ruling{Judgement: ecv.Judgement{Reasons: []ecv.Reason{"not_admitted"}}}
	}
	r := p.a.judge(p.at(w))
	if r.Grant != nil {
		p.stored = r.Grant
	}
	return r
}

// renew shows the newest grant from here on.
func (p *phone) renew() *phone { p.useStored(); return p }

func (p *phone) kept() PairedDevice {
	p.t.Helper()
	one, known := p.a.devices.get(p.id.DeviceID())
	if !known {
		p.t.Fatal("the phone is not on the list")
	}
	return one
}

// later makes what the router has noted older, as if time had passed.
func (p *phone) later(d time.Duration) {
	p.t.Helper()
	err := p.a.devices.edit(p.id.DeviceID(), func(one *PairedDevice) (bool, error) {
		one.PairedAt = one.PairedAt.Add(-d)
		if one.Place != nil {
			place := *one.Place
			place.Seen = place.Seen.Add(-d)
			one.Place = &place
		}
		all := make([]Surroundings, len(one.Learned))
		for i, s := range one.Learned {
			s.LearnedAt, s.SeenAt = s.LearnedAt.Add(-d), s.SeenAt.Add(-d)
			all[i] = s
		}
		one.Learned = all
		return true, nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// wants checks a ruling: the verdict on the session, and on single services.
func (p *phone) wants(what string, r tunnel.Ruling, session ecv.Verdict, services map[string]ecv.Verdict) {
	p.t.Helper()
	if r.Verdict != session {
		p.t.Errorf("%s: the session gets %s (%d of %d, %v), want %s", what, r.Verdict, r.Score, r.Needed, r.Reasons, session)
	}
	for name, want := range services {
		got, listed := r.Services[name]
		if !listed {
			got = r.Verdict
		}
		if got != want {
			p.t.Errorf("%s: %s gets %s, want %s", what, name, got, want)
		}
	}
}

func mustNotFail(t *testing.T, answer service.ManageAnswer) service.ManageAnswer {
	t.Helper()
	if answer.Error != "" {
		t.Fatal(answer.Error)
	}
	return answer
}

func mustFail(t *testing.T, answer service.ManageAnswer, why string) {
	t.Helper()
	if answer.Error == "" || !strings.Contains(answer.Error, why) {
		t.Errorf("error %q, want %q", answer.Error, why)
	}
}
