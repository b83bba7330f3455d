package control

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// elsewhere is in another /20 than 127.0.0.1.
var elsewhere = netip.MustParseAddr("127.16.0.1")

// environment is where a device is usually, as its router knows it.
type environment struct {
	secret  [32]byte // of the pairing
	wifi    ecv.Network
	place   ecv.Place
	account []byte
	addr    netip.Addr
}

// usual is the environment of a device that is at home on 127.0.0.1.
func usual(t testing.TB, device *auth.Identity) *environment {
	t.Helper()
	place, err := ecv.PlaceAt(47.37, 8.54, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &environment{
		secret:  [32]byte{1, 2, 3},
		wifi:    ecv.Network{SSID: "cafe", BSSID: [6]byte{2, 0, 0, 0, 0, 1}, Seen: time.Now()},
		place:   place,
		account: ecv.DeviceAccount(device.PublicKey()),
		addr:    netip.MustParseAddr("127.0.0.1"),
	}
}

func (e *environment) key() ecv.Key { return ecv.ObservationKey(e.secret) }

func (e *environment) netID(addr string) wire.TagID {
	return wire.TagID(e.key().TagID(ecv.Net, ecv.NetValue(netip.MustParseAddr(addr))))
}

// accepted is what a router that has learned the environment writes into a grant.
func (e *environment) accepted() ecv.Accepted {
	entries := []ecv.Entry{
		{Feature: ecv.Account, ID: e.key().TagID(ecv.Account, e.account)},
		{Feature: ecv.WiFi, ID: ecv.WiFiTagID(e.secret, e.wifi)},
		{Feature: ecv.Net, ID: e.key().TagID(ecv.Net, ecv.NetValue(e.addr))},
		{Feature: ecv.ASN, ID: e.key().TagID(ecv.ASN, ecv.ASNValue(64500))}, // as in loopbackWorld
		{Feature: ecv.Country, ID: e.key().TagID(ecv.Country, ecv.CountryValue("CH"))},
	}
	for _, id := range ecv.GeoTagIDs(e.secret, e.place) {
		entries = append(entries, ecv.Entry{Feature: ecv.Geo, ID: id})
	}
	return ecv.NewAccepted(entries...)
}

// policy has weights of which each set of features has a sum of its own. All
// together is 100.
func policy(allow, stepUp uint16) *ecv.Policy {
	return &ecv.Policy{
		Weights: [ecv.Features]uint8{ecv.Account: 15, ecv.WiFi: 40, ecv.Geo: 25, ecv.Net: 20},
		Allow:   allow, StepUp: stepUp, MaxAge: time.Hour,
	}
}

// grantWith is a good grant that demands an environment.
func grantWith(t testing.TB, router, device *auth.Identity, p *ecv.Policy, accepted ecv.Accepted) []byte {
	t.Helper()
	return issue(t, router, auth.Grant{
		Device: device.PublicKey(), Policy: p, Accepted: accepted,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	})
}

// show asks for a session with all evidence of the environment, bound to this connection.
func (c *client) show(t testing.TB, e *environment, router *auth.Identity, grant []byte) *wire.Open {
	t.Helper()
	binding, err := auth.ExportEvidence(c.ConnectionState().TLS)
	if err != nil {
		t.Fatal(err)
	}
	here := ecv.Context{Binding: binding, Router: router.RouterID()}
	return &wire.Open{
		Router: router.RouterID(), Grant: grant, ObservationKey: e.key(),
		WiFi: ecv.ProveWiFi(e.secret, e.wifi, here), Geo: ecv.ProveGeo(e.secret, e.place, here),
	}
}

// serverSide returns the relay's end of a device's connection, which it gets as
// a router's, since those are the ones that it keeps.
func (r *testRelay) serverSide(t testing.TB, device *client) *peer {
	t.Helper()
	if _, err := ask[*wire.Registered](t, device, &wire.Register{Token: r.token[:]}); err != nil {
		t.Fatal(err)
	}
	p, present := r.presence.Get(auth.RouterIDOf(device.id.PublicKey()))
	if !present {
		t.Fatal("the device is not there")
	}
	return p
}

func (v *Verdicts) all() map[string]uint64 {
	m := make(map[string]uint64)
	v.Each(func(verdict, at string, times uint64) {
		if times > 0 {
			m[verdict+" at "+at] = times
		}
	})
	return m
}

// eventually looks until something is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for late := time.After(patience); !is(); {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("never happened: %s", what)
		}
	}
}
