package auth_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

// A router signs a grant; the relay and the router itself verify it whenever
// the device opens a session.
func ExampleVerify() {
	router, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		panic(err)
	}
	device, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	raw, err := auth.Issue(router, auth.Grant{
		Device:    device.PublicKey(),
		Role:      auth.RoleGuest,
		Services:  []string{"http", "files"},
		NotBefore: now,
		NotAfter:  now.Add(24 * time.Hour),
		Serial:    1,
	}, rand.Reader)
	if err != nil {
		panic(err)
	}

	grant, err := auth.Verify(raw, router.RouterID(), device.PublicKey(), now.Add(time.Hour))
	fmt.Println(grant.Role, grant.Services, grant.Allows("ssh"), err)

	_, err = auth.Verify(raw, router.RouterID(), device.PublicKey(), now.Add(25*time.Hour))
	fmt.Println(errors.Is(err, auth.ErrGrantExpired), err)
	// Output:
	// guest [files http] false <nil>
	// true the grant has expired: pair the device again to get a new one (it ended 2026-01-02T12:00:00Z)
}

// The router shows a pairing URI and opens a window; the device proves that it
// has seen the URI. The values of the tunnel come from ExportPairing.
func ExamplePairingWindow() {
	router, err := auth.NewIdentity(bytes.NewReader(make([]byte, 32)))
	if err != nil {
		panic(err)
	}
	device, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		panic(err)
	}
	secret, err := auth.NewOneTimeSecret(rand.Reader)
	if err != nil {
		panic(err)
	}
	shown := auth.PairingURI{Relay: auth.RelayURL{Host: "relay.example.net:443"}, Router: router.RouterID(), Secret: secret}.String()
	now := time.Now()
	window := auth.NewPairingWindow(router.RouterID(), secret, now)

	var tunnel auth.PairingExporter
	uri, err := auth.ParsePairingURI(shown)
	if err != nil {
		panic(err)
	}
	proof := auth.PairingProof(uri.Secret, tunnel.Binding, device.PublicKey(), uri.Router)

	fmt.Println(window.Check(proof[:], tunnel.Binding, device.PublicKey(), now.Add(time.Minute)))
	fmt.Println(window.Check(proof[:], tunnel.Binding, device.PublicKey(), now.Add(time.Minute)))
	// Output:
	// <nil>
	// the pairing URI has been used: run `lethe-agent pair` again for a new one
}
