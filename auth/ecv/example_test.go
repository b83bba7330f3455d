package ecv_test

import (
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// A device proves at the relay that it is in the network which its router has
// learned. The relay never learns which.
func Example() {
	now := time.Unix(1_800_000_000, 0)
	secret := [32]byte{1, 2, 3} // device and router share it since pairing
	network := ecv.Network{SSID: "Home 5 GHz", Seen: now}

	// The router, when it issues a grant:
	policy := ecv.Policy{Allow: 40, StepUp: 20, MaxAge: time.Hour}
	policy.Weights[ecv.WiFi], policy.Weights[ecv.Country] = 40, 20
	accepted := ecv.NewAccepted(ecv.Entry{Feature: ecv.WiFi, ID: ecv.WiFiTagID(secret, network)})

	// The device, when it opens a session:
	connection := ecv.Context{Binding: [32]byte{4, 5}, Router: [32]byte{6, 7}}
	proof := ecv.ProveWiFi(secret, network, connection)
	key := ecv.ObservationKey(secret)

	// The relay:
	var found ecv.Findings
	found[ecv.WiFi] = ecv.CheckProof(ecv.WiFi, proof, connection, accepted, policy.MaxAge, now)
	found[ecv.Country] = ecv.CheckVouched(ecv.Country, key.TagID(ecv.Country, ecv.CountryValue("DE")), accepted)
	judgement := policy.Judge(found)

	fmt.Println(policy)
	fmt.Println(judgement.Verdict, judgement.Score, ecv.FormatReasons(judgement.Reasons))
	// Output:
	// weights=wifi:40,country:20 allow=40 step_up=20 max_age=3600
	// allow 40 wifi_matched,country_unknown
}
