package part

import (
	"context"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
)

// Here is the environment that all devices are in: a network and a place.
func Here(seen time.Time) (ecv.Evidence, error) {
	place, err := ecv.PlaceAt(47.37, 8.54, seen)
	network := &ecv.Network{SSID: "attic window", BSSID: [6]byte{2, 4, 6, 8, 10, 12}, Seen: seen}
	return ecv.Evidence{WiFi: network, Place: &place}, err
}

// here is the device's view of it, always of this moment.
type here struct{}

func (here) Evidence(context.Context) (ecv.Evidence, error) { return Here(time.Now()) }

// judge judges as a router does, by its own look at the evidence. What it has
// learned and what it demands is what it has put into the device's grant, which
// must have a policy.
func judge(secret [32]byte) func(tunnel.Case) tunnel.Ruling {
	return func(c tunnel.Case) tunnel.Ruling {
		policy, known := c.Device.Grant.Policy, c.Device.Grant.Accepted
		found := ecv.CheckEvidence(c.Evidence, secret, known, policy.MaxAge, time.Now())
		found[ecv.Account] = ecv.CheckVouched(ecv.Account, c.Vouched.Account, known)
		found[ecv.Net] = ecv.CheckVouched(ecv.Net, c.Vouched.Net, known)
		return tunnel.Ruling{Judgement: policy.JudgeSession(found, c.Device.Grant.Services), Needed: policy.Allow}
	}
}
