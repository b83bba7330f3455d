package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel"
)

const tableAllow = `What this device shows to home

   FEATURE  HERE                  LEAVES        ACCEPTED  WEIGHT
 ✓ account  this device's key     the key       yes       20
 ✓ wifi     home net              tag d67c92e7  yes       40
 – geo      not known             nothing       –         20
 – net      as the relay sees it  nothing       –         20

A score of 60 of 100 lets in, 20 is enough to confirm. Wi-Fi and place count for 1h.
Some services have demands of their own instead:
  ssh needs 80, and these must match: wifi
  status needs 50
`

const wordAllow = `
The router lets this device in, but not to everything.
score 60 of 60 ██████░░░░
  ✓ the account is known
  ✓ the Wi-Fi is known
  – the place is not shown
  ✗ the network is not one that the router knows
  ✗ to be confirmed first: ssh

To get further, one of these may be enough:
  confirm with the router's PIN: lethe confirm home
  ask an owner to approve: lethe confirm home --ask-owner
  say where you are: --location LAT,LON
  use an internet connection that the router knows
`

const wordStepUp = `
The router wants a step-up: these surroundings must be confirmed first.
score 20 of 60 ██░░░░░░░░
  ✓ the account is known
  ✗ the Wi-Fi is not one that the router knows
  ✗ the place is not one that the router knows
  ✗ the network is not one that the router knows
  ✗ the score is too low

To get further, one of these may be enough:
  confirm with the router's PIN: lethe confirm home
  ask an owner to approve: lethe confirm home --ask-owner
  connect to a Wi-Fi that the router knows
  go to a place that the router knows
  use an internet connection that the router knows
`

// TestEnv: what is here, what leaves, what the router says, and what to do.
func TestEnv(t *testing.T) {
	w := newWorld(t, nil)
	if got := w.run("env", "home").want(t, cli.ExitDone); got.out != tableAllow+wordAllow {
		t.Errorf("at home:\n%s", got.out)
	}
	got := w.run("env", "home", "--wifi-ssid", "café", "--wifi-bssid", "02:00:00:00:00:01", "--location", "52.52,13.40").want(t, cli.ExitDone)
	if !strings.HasSuffix(got.out, wordStepUp) {
		t.Errorf("elsewhere:\n%s", got.out)
	}
	for _, line := range []string{" ✗ wifi     café (02:00:00:00:00:01)  tag ", " ✗ geo      52.52,13.40 "} {
		if !strings.Contains(got.out, line) {
			t.Errorf("there is no %q in\n%s", line, got.out)
		}
	}
}

// TestEnvInside: who gets at everything is told no more.
func TestEnvInside(t *testing.T) {
	w := newWorld(t, nil)
	easy := testPolicy()
	easy.Services = nil
	w.writeStore(w.grant(1, easy))
	got := w.run("env", "home").want(t, cli.ExitDone, "The router lets this device in.\nscore 60 of 60")
	if strings.Contains(got.out, "To get further") || strings.Contains(got.out, "all else") {
		t.Errorf("got\n%s", got.out)
	}
}

// TestEnvRefused: who refuses, why, and that the table is there all the same.
func TestEnvRefused(t *testing.T) {
	w := newWorld(t, nil)
	strict := testPolicy()
	strict.StepUp = 50
	w.writeStore(w.grant(1, strict))
	got := w.run("env", "home", "--wifi-ssid", "none").want(t, cli.ExitRefused, "The relay refuses this device in these surroundings", "the Wi-Fi is not shown", "score is too low", "--wifi-ssid")
	if !strings.Contains(got.out, "– wifi     not known ") {
		t.Errorf("no table:\n%s", got.out)
	}
	w.does(func() {
		w.judge = func(tunnel.Case) tunnel.Ruling {
			return tunnel.Ruling{Judgement: ecv.Judgement{Reasons: []ecv.Reason{ecv.ImpossibleTravel}}, Needed: 60}
		}
	})
	w.run("env", "home").want(t, cli.ExitRefused, "The router refuses this device in these surroundings", "score 0 of 60 ░░░░░░░░░░", "nobody can have travelled here", "wait and try again", "env_denied")
}

// TestEnvNothingLearned: a router that has just been paired, and one that judges nothing, have no score to show.
func TestEnvNothingLearned(t *testing.T) {
	w := newWorld(t, nil)
	w.writeStore(w.grant(1, nil))
	for needed, want := range map[uint16]string{60: "It learns what a device shows in its first session", 0: "lets this device in."} {
		w.does(func() {
			w.judge = func(tunnel.Case) tunnel.Ruling {
				return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow}, Needed: needed}
			}
		})
		if got := w.run("env", "home").want(t, cli.ExitDone, want); strings.Contains(got.out, "\nscore") {
			t.Errorf("got\n%s", got.out)
		}
	}
}

// TestEnvOffline asks nobody: there is no relay.
func TestEnvOffline(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "device")
	w := &world{T: t, dir: dir, router: newIdentity(t), device: newIdentity(t), relay: auth.RelayURL{Host: "relay.invalid:443"}}
	w.writeStore(w.grant(1, testPolicy()))
	if got := w.run("env", "home", "--offline").want(t, cli.ExitDone); got.out != tableAllow {
		t.Errorf("got\n%s", got.out)
	}
	w.run("env", "home").want(t, cli.ExitUnreachable, "can't reach the relay relay.invalid", "FEATURE")
	w.writeStore(w.grant(1, nil))
	w.run("env", "home", "--offline").want(t, cli.ExitDone, "The grant demands nothing", "– wifi     home net           tag d67c92e7  –")
}

// TestEnvJSON: the same for programs, and no value in what a person might pass on: the verdict.
func TestEnvJSON(t *testing.T) {
	w := newWorld(t, nil)
	got := w.run("env", "home", "--json", "--wifi-ssid", "café", "--location", "52.52,13.40").want(t, cli.ExitDone)
	var info envInfo
	if err := json.Unmarshal([]byte(got.out), &info); err != nil {
		t.Fatal(err)
	}
	if info.Policy.Allow != 60 || info.Policy.Total != 100 || len(info.Policy.Services) != 2 || info.Word.Verdict != "step_up" || len(info.ToDo) != 5 {
		t.Errorf("got %s", got.out)
	}
	verdict, _ := json.Marshal(info.Word)
	for _, value := range []string{"café", "52.52"} {
		if strings.Contains(string(verdict), value) || !strings.Contains(got.out, value) {
			t.Errorf("%s is in the verdict, or nowhere: %s", value, got.out)
		}
	}
}

// TestAccepted: what the table says of a feature is what the judges will find.
func TestAccepted(t *testing.T) {
	const secret = "a.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiJhbGljZSJ9.c" // iss https://id.example, sub alice
	if got, want := string(accountOf(secret)), string(ecv.OIDCAccount("https://id.example", "alice")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, token := range []string{"", "a.b", "a.!.c", "a.e30.c", "a.bm9uc2Vuc2U.c"} {
		if got := accountOf(token); got != nil {
			t.Errorf("%q: got %q", token, got)
		}
	}
}

// TestWrongSurroundings: bad flags are wrong usage, and what was given is not repeated.
func TestWrongSurroundings(t *testing.T) {
	for _, flags := range [][]string{
		{"--wifi-ssid", strings.Repeat("secret", 6)},
		{"--wifi-ssid", "", "--wifi-bssid", "02:00:00:00:00:01"},
		{"--wifi-bssid", "secret"},
		{"--location", "secret"},
		{"--location", "91,0"},
	} {
		for _, command := range [][]string{{"env", "home"}, {"status", "home"}, {"forward", "home", "http"}} {
			dir := filepath.Join(t.TempDir(), "device")
			w := &world{T: t, dir: dir}
			got := w.run(append(command, flags...)...).want(t, cli.ExitUsage, "--")
			if strings.Contains(got.err.Error(), "secret") || strings.Contains(got.err.Error(), "91") {
				t.Errorf("it is repeated: %v", got.err)
			}
		}
	}
}
