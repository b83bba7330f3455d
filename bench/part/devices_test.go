package part

import (
	"crypto/rand"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
)

// accepted is what there is here, as who knows the secret names it.
func accepted(t *testing.T, secret [32]byte, g *auth.Grant) ecv.Accepted {
	t.Helper()
	here, err := Here(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key := ecv.ObservationKey(secret)
	return ecv.NewAccepted(
		ecv.Entry{Feature: ecv.WiFi, ID: ecv.WiFiTagID(secret, *here.WiFi)},
		ecv.Entry{Feature: ecv.Geo, ID: ecv.GeoTagIDs(secret, *here.Place)[0]},
		ecv.Entry{Feature: ecv.Account, ID: key.TagID(ecv.Account, ecv.DeviceAccount(g.Device))},
		ecv.Entry{Feature: ecv.Net, ID: key.TagID(ecv.Net, ecv.NetValue(netip.MustParseAddr("127.0.0.1")))},
	)
}

func everything() *ecv.Policy {
	return &ecv.Policy{
		Weights: [ecv.Features]uint8{ecv.Account: 25, ecv.WiFi: 25, ecv.Geo: 25, ecv.Net: 25},
		Allow:   100, StepUp: 25, MaxAge: time.Hour,
	}
}

// TestJudge: each piece of evidence counts, by the router's own secret.
func TestJudge(t *testing.T) {
	secret := [32]byte{1}
	for name, c := range map[string]struct {
		change func(*tunnel.Case)
		router [32]byte
		want   ecv.Verdict
	}{
		"all there is":   {func(*tunnel.Case) {}, secret, ecv.Allow},
		"no network":     {func(c *tunnel.Case) { c.Evidence.WiFi = nil }, secret, ecv.StepUp},
		"no place":       {func(c *tunnel.Case) { c.Evidence.Place = nil }, secret, ecv.StepUp},
		"no account":     {func(c *tunnel.Case) { c.Vouched.Account = ecv.TagID{} }, secret, ecv.StepUp},
		"another source": {func(c *tunnel.Case) { c.Vouched.Net[0] ^= 1 }, secret, ecv.StepUp},
		"nothing":        {func(c *tunnel.Case) { c.Evidence, c.Vouched = ecv.Evidence{}, tunnel.Vouched{} }, secret, ecv.Deny},
		"another secret": {func(*tunnel.Case) {}, [32]byte{2}, ecv.StepUp}, // the relay's word alone
	} {
		t.Run(name, func(t *testing.T) {
			g := auth.Grant{Device: make([]byte, 32), Services: []string{auth.AllServices}, Policy: everything()}
			g.Accepted = accepted(t, secret, &g)
			on := tunnel.Case{Device: tunnel.Device{Key: g.Device, Grant: g}}
			on.Evidence, _ = Here(time.Now())
			key := ecv.ObservationKey(secret)
			on.Vouched.Account = key.TagID(ecv.Account, ecv.DeviceAccount(g.Device))
			on.Vouched.Net = key.TagID(ecv.Net, ecv.NetValue(netip.MustParseAddr("127.0.0.1")))
			c.change(&on)
			if got := judge(c.router)(on); got.Verdict != c.want {
				t.Errorf("%s, with %s; want %s", got.Verdict, ecv.FormatReasons(got.Reasons), c.want)
			}
		})
	}
}

// TestOnce: an open counts only if what came of it is what should have.
func TestOnce(t *testing.T) {
	paired, guessed := [32]byte{1}, [32]byte{2}
	dial := newHouse(t, paired)
	for name, c := range map[string]struct {
		shown   [32]byte
		refused string
		counts  bool
	}{
		"allowed":                     {paired, "", true},
		"allowed, and should not be":  {paired, "env_denied", false},
		"refused":                     {guessed, "env_denied", true},
		"refused, and should not be":  {guessed, "", false},
		"refused with another reason": {guessed, "grant_expired", false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := dial
			cfg.Router.Secret = c.shown
			d := &devices{ctx: t.Context(), refused: c.refused}
			if goOn := d.note(d.once(cfg)); goOn != c.counts || len(d.took) > 0 != c.counts {
				t.Errorf("counts %v, goes on: %v; %v", d.took, goOn, d.failure)
			}
			if _, err := d.progress(t.Context(), struct{}{}); (err == nil) != c.counts {
				t.Errorf("progress: %v", err)
			}
		})
	}
}

// newHouse has a relay and a router that judges until the test's end, and a
// device.
func newHouse(t *testing.T, secret [32]byte) tunnel.DialConfig {
	t.Helper()
	host, url := newIdentity(t), newTestRelay(t)
	r := &router{meter: newMeter()}
	t.Cleanup(r.close)
	if _, err := r.open(t.Context(), RouterConfig{Relay: url, Identity: pemOf(t, host), Secret: secret}); err != nil {
		t.Fatal(err)
	}
	dial, err := newGuest(t, url, host, secret, everything()).dial()
	if err != nil {
		t.Fatal(err)
	}
	return dial
}

// newTestRelay runs a relay until the test's end.
func newTestRelay(t *testing.T) (url string) {
	t.Helper()
	relay := &relayOf{cancel: func() {}, ended: make(chan error, 1)}
	t.Cleanup(func() { relay.cancel(); relay.running.Wait() })
	ready, err := relay.open(t.Context(), RelayConfig{Dir: filepath.Join(t.TempDir(), "relay")})
	if err != nil {
		t.Fatal(err)
	}
	return ready.(RelayReady).URL
}

// newGuest is a device whose grant has this policy, and which shows nothing.
func newGuest(t *testing.T, url string, host *auth.Identity, secret [32]byte, policy *ecv.Policy) DeviceConfig {
	t.Helper()
	device := newIdentity(t)
	g := auth.Grant{
		Device: device.PublicKey(), Role: auth.RoleGuest, Services: []string{"ssh"},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), Policy: policy,
	}
	g.Accepted = accepted(t, secret, &g)
	grant, err := auth.Issue(host, g, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return DeviceConfig{Relay: url, Identity: pemOf(t, device), Router: host.RouterID(), Grant: grant}
}

func newIdentity(t *testing.T) *auth.Identity {
	t.Helper()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func pemOf(t *testing.T, id *auth.Identity) []byte {
	t.Helper()
	pem, err := id.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	return pem
}

// TestDevicesEnd: devices whose router is not there tell so, and end.
func TestDevicesEnd(t *testing.T) {
	dial := newHouse(t, [32]byte{1})
	dial.Router.ID[0] ^= 1 // nobody
	d := &devices{ctx: t.Context(), dial: []tunnel.DialConfig{dial, dial}}
	d.flow(t.Context(), struct{}{})
	d.running.Wait()
	if _, err := d.progress(t.Context(), struct{}{}); err == nil {
		t.Error("a failed open is not told")
	}
}
