//go:build linux

package e2e

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPairing is about URIs that must not work, or not work again.
func TestPairing(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	const closed, wrong = "pairing_closed", "pairing_refused"

	t.Run("reused", func(t *testing.T) {
		uri := h.uri(ctx)
		if r := h.lethe(ctx, "first", "pair", uri, "--name", "home"); r.code != 0 {
			t.Fatal(r.stderr)
		}
		h.lethe(ctx, "second", "pair", uri).refused(t, 3, closed, "lethe-agent pair")
	})
	t.Run("replaced by a newer one", func(t *testing.T) {
		before, now := h.uri(ctx), h.uri(ctx)
		h.lethe(ctx, "replaced", "pair", before).refused(t, 3, wrong, "lethe-agent pair")
		if r := h.lethe(ctx, "replaced", "pair", now); r.code != 0 {
			t.Error(r.stderr)
		}
	})
	t.Run("four wrong guesses", func(t *testing.T) {
		uri := h.uri(ctx)
		for range 4 {
			h.lethe(ctx, "guesser", "pair", guess(t, uri)).refused(t, 3, wrong)
		}
		if r := h.lethe(ctx, "guessed", "pair", uri); r.code != 0 {
			t.Error(r.stderr)
		}
	})
	t.Run("five wrong guesses", func(t *testing.T) {
		uri := h.uri(ctx)
		for range 5 {
			h.lethe(ctx, "guesser", "pair", guess(t, uri)).refused(t, 3, wrong)
		}
		h.lethe(ctx, "late", "pair", uri).refused(t, 3, closed)
	})
	t.Run("router of another", func(t *testing.T) {
		other := newHome(t, ctx)
		h.lethe(ctx, "other", "pair", swap(t, h.uri(ctx), other.uri(ctx), "router")).refused(t, 4, "router_offline")
	})
	t.Run("cut off", func(t *testing.T) {
		uri := h.uri(ctx)
		h.lethe(ctx, "cut", "pair", uri[:len(uri)-5]).refused(t, 1, "secret")
		h.lethe(ctx, "cut", "pair", strings.SplitN(uri, "&", 2)[0]).refused(t, 1, "quotes")
	})
	t.Run("name in use", func(t *testing.T) {
		other := newHome(t, ctx)
		uri := other.uri(ctx)
		h.lethe(ctx, "first", "pair", uri, "--name", "home").refused(t, 1, `"home"`, "--name")
		if r := h.lethe(ctx, "first", "pair", uri, "--name", "cottage"); r.code != 0 {
			t.Errorf("the refusal has used the URI up: %s", r.stderr)
		}
	})
	t.Run("no agent to ask", func(t *testing.T) {
		h.agent.stop(syscall.SIGTERM)
		run(t, ctx, "lethe-agent", "pair", "--config", h.at("agent/agent.yaml")).refused(t, 1, "not running", "lethe-agent run")
	})
}

// guess replaces the secret of a pairing URI by a wrong one.
func guess(t *testing.T, uri string) string {
	t.Helper()
	return replaceInQuery(t, uri, "secret", strings.Repeat("B", 21)+"A") // 16 bytes
}

// swap puts a part of one URI into another.
func swap(t *testing.T, uri, from, key string) string {
	t.Helper()
	u, err := url.Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	return replaceInQuery(t, uri, key, u.Query().Get(key))
}

func replaceInQuery(t *testing.T, uri, key, value string) string {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	old := u.Query().Get(key)
	if old == "" || old == value {
		t.Fatalf("%s has no %s to replace", uri, key)
	}
	return strings.Replace(uri, key+"="+old, key+"="+value, 1)
}

// TestPairWait: the agent's command stays until the device has paired.
func TestPairWait(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	show := start(t, ctx, "lethe-agent", "pair", "--config", h.at("agent/agent.yaml"), "--wait", "--json")
	var event struct{ URI string }
	offer := show.prints(ctx, show.stdout, 0, "&secret=") // as it is, for those who cut it out
	if err := json.Unmarshal([]byte(offer), &event); err != nil {
		t.Fatal(err)
	}
	if r := h.lethe(ctx, "phone", "pair", event.URI, "--device-name", "my phone"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if code := show.wait(ctx); code != 0 {
		t.Errorf("exit code %d", code)
	}
	show.prints(ctx, show.stdout, 0, `"my phone"`)
}

// TestUnpair: after it neither end knows the other.
func TestUnpair(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	h.pair(ctx)
	if err := os.CopyFS(h.at("copy"), os.DirFS(h.at("phone"))); err != nil {
		t.Fatal(err)
	}
	must(t, ctx, "chmod", "-R", "go=", h.at("copy"))
	if r := h.lethe(ctx, "phone", "unpair", "home"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	h.lethe(ctx, "phone", "status", "home").refused(t, 1, `"home"`, "lethe pair URI")
	h.lethe(ctx, "copy", "status", "home").refused(t, 3, "grant_revoked")
}
