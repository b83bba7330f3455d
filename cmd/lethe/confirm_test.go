package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel"
)

// newPlace is a world in which the device is where nobody knows it, and the PIN is 4711.
func newPlace(t *testing.T) *world {
	w := newWorld(t, nil)
	learned := ecv.Entry{Feature: ecv.WiFi, ID: ecv.WiFiTagID(testSecret, ecv.Network{SSID: "café"})}
	fresh := w.grant(2, testPolicy(), learned)
	w.does(func() {
		w.confirm = func(pin string) (tunnel.Ruling, error) {
			switch pin {
			case "4711":
				return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow, Score: 60}, Needed: 60, Grant: fresh}, nil
			case "":
				return tunnel.Ruling{}, &tunnel.RefusedError{Code: "not_approved"}
			case "locked":
				return tunnel.Ruling{}, &tunnel.RefusedError{Code: "pin_locked", RetryAfter: time.Minute}
			case "too little":
				return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.StepUp, Reasons: []ecv.Reason{"geo_missing"}}, Needed: 60}, nil
			case "none":
				return tunnel.Ruling{}, &tunnel.RefusedError{Code: "pin_not_set"}
			}
			return tunnel.Ruling{}, &tunnel.RefusedError{Code: "pin_wrong"}
		}
	})
	return w
}

// TestConfirm: the right PIN gets a fresh grant, with which the next session is let in.
func TestConfirm(t *testing.T) {
	w := newPlace(t)
	w.typing("1234\n", "confirm", "home").want(t, cli.ExitRefused, "pin_wrong") // at home there is ssh to win
	w.run("confirm", "home").want(t, cli.ExitFailed, "no answer on stdin")
	for typed, want := range map[string]string{
		"1234\n":       "'lethe confirm home --ask-owner'",
		"locked\n":     "in 1m0s; 'lethe confirm home --ask-owner' waits for an owner",
		"too little\n": "confirmed, but what this device shows is too little even so: 'lethe env home'",
		"none\n":       "'lethe confirm home --ask-owner' waits for an owner",
	} {
		w.typing(typed, "confirm", "home", "--wifi-ssid", "café").want(t, cli.ExitRefused, want)
	}
	w.run("confirm", "home", "--ask-owner", "--wifi-ssid", "café").want(t, cli.ExitRefused, "no owner has approved", "lethe confirm home --pin")
	for _, typed := range []string{"", "\n", "a\tb\n", strings.Repeat("7", 65) + "\n"} {
		got := w.typing(typed, "confirm", "home", "--pin", "--wifi-ssid", "café").want(t, cli.ExitFailed)
		if text := strings.TrimSpace(typed); text != "" && strings.Contains(got.err.Error(), text) {
			t.Errorf("the PIN is repeated: %v", got.err)
		}
	}
	w.typing("4711\n", "confirm", "home", "--wifi-ssid", "café").want(t, cli.ExitDone, "confirmed: home knows these surroundings now")
	w.run("env", "home", "--wifi-ssid", "café").want(t, cli.ExitDone, "The router lets this device in", "✓ wifi     café")
	w.run("confirm", "home", "--pin", "--ask-owner").want(t, cli.ExitFailed, "none of the others")
}

// TestConfirmNothing: who gets at everything is asked nothing.
func TestConfirmNothing(t *testing.T) {
	w := newPlace(t)
	easy := testPolicy()
	easy.Services = nil
	w.writeStore(w.grant(1, easy))
	w.run("confirm", "home").want(t, cli.ExitDone, "there was nothing to confirm")
}

// TestConfirmDefault: a router that takes no PIN is asked for an approval, without anything to type.
func TestConfirmDefault(t *testing.T) {
	w := newPlace(t)
	judge := w.judge
	w.does(func() {
		w.judge = func(c tunnel.Case) tunnel.Ruling {
			r := judge(c)
			r.PIN = false
			return r
		}
	})
	w.run("confirm", "home", "--wifi-ssid", "café").want(t, cli.ExitRefused, "no owner has approved")
}

// TestConfirmUnkept: it is said when the fresh grant can't be stored.
func TestConfirmUnkept(t *testing.T) {
	w := newPlace(t)
	stranger := newIdentity(t)
	mine := w.device
	w.device = stranger
	other := w.grant(3, nil)
	w.device = mine
	w.does(func() {
		w.confirm = func(string) (tunnel.Ruling, error) {
			return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow}, Grant: other}, nil
		}
	})
	w.typing("4711\n", "confirm", "home", "--wifi-ssid", "café").want(t, cli.ExitFailed, "could not be stored here", "belongs to another device")
}

// TestConfirmInterrupted: Ctrl-C ends the waiting for a PIN that nobody types.
func TestConfirmInterrupted(t *testing.T) {
	w := newPlace(t)
	ctx, cancel := context.WithCancel(t.Context())
	got := runIn(ctx, w.dir, interrupting{cancel}, &bytes.Buffer{}, "confirm", "home", "--wifi-ssid", "café")
	if got.err == nil || ctx.Err() == nil {
		t.Errorf("got %v", got.err)
	}
}

// interrupting is a person who presses Ctrl-C when asked.
type interrupting struct{ cancel func() }

func (i interrupting) Read([]byte) (int, error) {
	i.cancel()
	select {}
}
