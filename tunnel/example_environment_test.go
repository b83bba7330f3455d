package tunnel_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
)

// phone is what an app makes of what its system lets it see.
type phone struct {
	ssid, bssid         string // of the connected Wi-Fi; empty without
	latitude, longitude float64
	mayLocate           bool // the person has allowed it
}

// Evidence implements [tunnel.Environment]. What is not known, or not allowed,
// is left out: what that means is for the router's policy to say.
func (p phone) Evidence(context.Context) (e ecv.Evidence, err error) {
	now := time.Now()
	if p.ssid != "" {
		bssid, err := ecv.ParseBSSID(p.bssid)
		if err != nil {
			return e, err
		}
		e.WiFi = &ecv.Network{SSID: p.ssid, BSSID: bssid, Seen: now}
	}
	if p.mayLocate {
		place, err := ecv.PlaceAt(p.latitude, p.longitude, now)
		if err != nil {
			return e, err
		}
		e.Place = &place
	}
	return e, nil
}

// An app shows where its phone is, and asks for the PIN where the router does
// not know it.
func ExampleEnvironment() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	relayURL, stopRelay := exampleRelay()
	defer stopRelay()
	device := exampleIdentity()
	router, stopRouter := exampleRouter(ctx, relayURL, device)
	defer stopRouter()

	router.Secret = [32]byte{1} // in real life from [tunnel.Pair]: it blinds what the relay gets
	t, err := tunnel.Dial(ctx, tunnel.DialConfig{
		Identity: device, Router: router,
		Environment: phone{ssid: "kitchen", bssid: "02:00:5e:00:53:01"}, // no leave to locate
		Renewed:     func(grant []byte) { router.Grant = grant },        // store it; the next Dial shows it
	})
	if err != nil {
		log.Panic(err)
	}
	defer t.Close()
	stream, err := t.Open(ctx, "echo")
	if err == nil {
		err = stream.Ready()
	}
	if errors.Is(err, &tunnel.RefusedError{Code: "step_up_required"}) {
		err = t.Confirm(ctx, "918273") // what the person has typed; then Dial again
	}
	verdict, _ := t.Verdict(ctx)
	fmt.Println(verdict.Verdict, err)
	// Output:
	// allow <nil>
}
