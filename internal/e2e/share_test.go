//go:build linux

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestShare: somebody else accepts an invitation, gets what it says and no
// more, and loses it again.
func TestShare(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	h := newHome(t, ctx, "http=unix:"+greeter(t), "ssh=tcp:127.0.0.1:1")
	h.pair(ctx)
	share := func(args ...string) string {
		var invited struct{ URI string }
		out := must(t, ctx, h.letheCommand(h.device, append([]string{"share", "home", "--role", "guest", "--services", "http,status", "--for", "48h", "--json"}, args...)...)...)
		if err := json.Unmarshal([]byte(out), &invited); err != nil || invited.URI == "" {
			t.Fatalf("no invitation: %v\n%s", err, out)
		}
		return invited.URI
	}
	first, second := share("--name", "anna"), share("--name", "ben")
	h.restartAgent(ctx) // an invitation outlives that
	must(t, ctx, h.letheCommand("anna", "pair", first, "--name", "theirs")...)
	wantGreeting(t, h.lethe(ctx, "anna", "nc", "theirs", "http"))
	must(t, ctx, h.letheCommand("anna", "status", "theirs")...)
	h.lethe(ctx, "anna", "nc", "theirs", "ssh").refused(t, 3, "service_not_granted")
	h.lethe(ctx, "anna", "share", "theirs", "--role", "guest", "--services", "http", "--for", "1h").refused(t, 3, "service_not_granted")
	h.lethe(ctx, "thief", "pair", first).refused(t, 3, "pairing_")

	list := must(t, ctx, h.letheCommand(h.device, "shares", "home")...)
	for _, part := range []string{"anna", "ben", "guest", "http", "status"} {
		if !strings.Contains(list, part) {
			t.Errorf("'lethe shares' says nothing of %q:\n%s", part, list)
		}
	}
	must(t, ctx, h.letheCommand(h.device, "unshare", "home", "anna")...)
	must(t, ctx, h.letheCommand(h.device, "unshare", "home", "ben")...)
	h.lethe(ctx, "anna", "status", "theirs").refused(t, 3, "grant_revoked")
	h.lethe(ctx, "ben", "pair", second).refused(t, 3, "pairing_")
	h.lethe(ctx, h.device, "share", "home", "--role", "guest", "--services", "nothing", "--for", "1h").refused(t, 1, `"nothing"`, "http")
}

// TestForget: a person sees what is held about him, has it erased, and gets it
// in writing.
func TestForget(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	h := newStrictHome(t, ctx)
	var held struct {
		Device, Router, Relay json.RawMessage
	}
	out := h.here(ctx, atHome, "export", "home")
	if err := json.Unmarshal([]byte(out.stdout), &held); err != nil || len(held.Device)*len(held.Router)*len(held.Relay) == 0 {
		t.Fatalf("not an export: %v\n%s%s", err, out.stdout, out.stderr)
	}
	for _, part := range []string{"learned_environments", "wifi:", "geo:", "decisions", "mine"} {
		if !strings.Contains(string(held.Router), part) {
			t.Errorf("the router's part has no %q:\n%s", part, held.Router)
		}
	}
	receipt := h.at("receipt.json")
	if r := h.here(ctx, atHome, "forget", "home", "--yes", "--receipt", receipt); r.code != 0 {
		t.Fatalf("forget: %s", r.stderr)
	}
	if text := read(t, receipt); !strings.Contains(text, `"router"`) || !strings.Contains(text, `"relay"`) || !strings.Contains(text, "signature") {
		t.Errorf("not two receipts:\n%s", text)
	}
	h.lethe(ctx, h.device, "status", "home").refused(t, 1, "no router of this name")
	for _, file := range []string{"devices.json", "journal.jsonl"} {
		if text := read(t, h.at("agent/"+file)); strings.Contains(text, "mine") || strings.Contains(text, "geo:") || strings.Contains(text, "pairing_secret") {
			t.Errorf("%s still holds something about the device:\n%s", file, text)
		}
	}
}
