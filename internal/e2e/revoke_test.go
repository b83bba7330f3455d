package e2e

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"
)

// TestRevoke takes access back on the router and from an owner's device. It
// lasts over restarts of both the agent and the relay.
func TestRevoke(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	for _, phone := range []string{"mine", "lost", "stolen"} {
		must(t, ctx, h.letheCommand(phone, "pair", h.uri(ctx), "--name", "home", "--device-name", phone)...)
	}
	var devices []struct{ Name, ID string }
	list := must(t, ctx, "lethe-agent", "devices", "--json", "--config", h.at("agent/agent.yaml"))
	if err := json.Unmarshal([]byte(list), &devices); err != nil || len(devices) != 3 || devices[2].Name != "stolen" {
		t.Fatalf("%s: %v", list, err)
	}
	must(t, ctx, "lethe-agent", "revoke", "--config", h.at("agent/agent.yaml"), "lost")
	must(t, ctx, h.letheCommand("mine", "revoke", "home", devices[2].ID)...)
	h.lethe(ctx, "mine", "revoke", "home", "lost").refused(t, 1, `"lost"`, "devices")
	h.lethe(ctx, "stolen", "devices", "home").refused(t, 3, "grant_revoked", "pair again")

	h.agent.stop(syscall.SIGTERM)
	h.relay.stop(syscall.SIGTERM)
	h.runRelay(ctx)
	h.runAgent(ctx)
	for _, phone := range []string{"lost", "stolen"} {
		h.lethe(ctx, phone, "status", "home").refused(t, 3, "grant_revoked")
	}
	must(t, ctx, h.letheCommand("mine", "status", "home")...)
	must(t, ctx, h.letheCommand("stolen", "unpair", "home")...) // the router has forgotten it already
	must(t, ctx, h.letheCommand("lost", "pair", h.uri(ctx))...) // a new pairing is a new grant
	must(t, ctx, h.letheCommand("lost", "status", "home")...)
}
