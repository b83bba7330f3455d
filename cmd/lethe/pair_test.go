package main

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel"
)

// uri opens a pairing window.
func (w *world) uri() string {
	w.Helper()
	secret, err := auth.NewOneTimeSecret(rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	w.does(func() { w.window = auth.NewPairingWindow(w.router.RouterID(), secret, time.Now()) })
	return auth.PairingURI{Relay: w.relay, Router: w.router.RouterID(), Secret: secret}.String()
}

// TestPair: the first session comes at once, and shows where the device is.
func TestPair(t *testing.T) {
	w := newWorld(t, nil)
	w.dir = filepath.Join(t.TempDir(), "another")
	shown := make(chan tunnel.Case, 1)
	verdict := ecv.Allow
	w.does(func() {
		w.judge = func(c tunnel.Case) tunnel.Ruling {
			shown <- c
			return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: now(w, &verdict)}}
		}
	})
	got := w.run("pair", w.uri()).want(t, cli.ExitDone, "paired with home (")
	if c := <-shown; c.Evidence.WiFi == nil || c.Evidence.WiFi.SSID != "home net" || got.said != "" {
		t.Errorf("shown: %+v; said: %s", c.Evidence, got.said)
	}
	w.run("pair", w.uri(), "--name", "house").want(t, cli.ExitFailed, `paired already, as "home"`)
	w.does(func() { verdict = ecv.StepUp })
	w.run("pair", w.uri()).want(t, cli.ExitDone, "paired with home (", "'lethe env home' shows why")
}

// TestPairWithoutSession: a first session that fails is told, and is no failure of the pairing.
func TestPairWithoutSession(t *testing.T) {
	w := newWorld(t, nil)
	w.dir = filepath.Join(t.TempDir(), "another")
	w.does(func() {
		w.judge = func(tunnel.Case) tunnel.Ruling {
			raw := w.grant(10, nil) // for another device
			return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow}, Grant: raw}
		}
	})
	w.run("pair", w.uri()).want(t, cli.ExitDone, "paired with home (", "the pairing is good, but a first session failed", "within an hour: lethe status home")
	w.run("routers").want(t, cli.ExitDone, "home")
}
