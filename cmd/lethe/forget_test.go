package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/relaytest"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// forgetting is a world whose router erases what it is asked to, and signs.
func forgetting(t *testing.T) (w *world, file string) {
	w = newWorld(t, nil)
	w.does(func() {
		w.answer = func(string, service.ManageRequest) service.ManageAnswer {
			return service.ManageAnswer{Receipt: w.receipt(w.router, auth.PeerRouter, w.device, w.router)}
		}
	})
	return w, filepath.Join(t.TempDir(), "receipts.json")
}

// receipt is signed now by signer, who says to be party.
func (w *world) receipt(signer *auth.Identity, party auth.Peer, device, router *auth.Identity) *auth.Receipt {
	r, err := auth.SignReceipt(signer, auth.Receipt{
		Party: string(party), Device: device.DeviceID(), Router: router.RouterID(), At: time.Now(), Erased: []string{"grant", "evidence"},
	})
	if err != nil {
		w.Error(err)
	}
	return &r
}

// kept tells whether everything is still here.
func (w *world) kept() bool {
	_, keyErr := os.Stat(filepath.Join(w.dir, "device.key"))
	_, routerErr := w.store().Router("home")
	return keyErr == nil && routerErr == nil
}

// TestForget: both ends sign, the file has it, and nothing is left here.
func TestForget(t *testing.T) {
	w, file := forgetting(t)
	w.run("forget", "home").want(t, cli.ExitUsage, "--yes")
	if !w.kept() || w.lastAsked().Do != "" {
		t.Fatal("something was done without a yes")
	}
	w.run("forget", "home", "--yes", "--receipt", file).want(t, cli.ExitDone, "home has erased: evidence, grant", "its relay has erased: nothing, since it held nothing", file, "forgot home")
	if w.lastAsked().Do != "forget" {
		t.Errorf("asked %+v", w.lastAsked())
	}
	var r receipts
	text, _ := os.ReadFile(file)
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	about := erasure{w.device.DeviceID(), w.router.RouterID(), w.relay, time.Time{}}
	if err := about.checkRouter(r.Router); err != nil {
		t.Errorf("the router's receipt: %v", err)
	}
	if err := about.checkRelay(r.Relay); err != nil {
		t.Errorf("the relay's receipt: %v", err)
	}
	entries, _ := os.ReadDir(w.dir)
	for _, e := range entries {
		if e.Name() != "lock" && e.Name() != "routers" {
			t.Errorf("left over: %s", e.Name())
		}
	}
	w.run("forget", "home", "--yes").want(t, cli.ExitFailed, "no router of this name is paired")
}

// TestForgetRefused: whatever is wrong with the router's receipt, nothing is removed here.
func TestForgetRefused(t *testing.T) {
	w, file := forgetting(t)
	stranger := newIdentity(t)
	altered := w.receipt(w.router, auth.PeerRouter, w.device, w.router)
	altered.Erased = []string{"everything"}
	for name, receipt := range map[string]*auth.Receipt{
		"none":                 nil,
		"another router's":     w.receipt(stranger, auth.PeerRouter, w.device, stranger),
		"about another device": w.receipt(w.router, auth.PeerRouter, stranger, w.router),
		"as the relay":         w.receipt(w.router, auth.PeerRelay, w.device, w.router),
		"altered":              altered,
	} {
		w.does(func() {
			w.answer = func(string, service.ManageRequest) service.ManageAnswer {
				return service.ManageAnswer{Receipt: receipt}
			}
		})
		w.run("forget", "home", "--yes", "--receipt", file).want(t, cli.ExitFailed, "nothing was removed here", "--local")
		if _, err := os.Stat(file); err == nil || !w.kept() {
			t.Errorf("%s: something was removed, or a receipt written", name)
		}
	}
	w.run("forget", "home", "--yes", "--receipt", filepath.Join(t.TempDir(), "no", "folder.json")).want(t, cli.ExitFailed, "nothing was removed here")
	if !w.kept() {
		t.Error("removed without a place for receipts")
	}
}

// TestCheckReceipts: only the key that was paired, or pinned, signs an erasure.
func TestCheckReceipts(t *testing.T) {
	w := &world{T: t, device: newIdentity(t), router: newIdentity(t)}
	relay, stranger := newIdentity(t), newIdentity(t)
	cert, err := relay.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	about := erasure{device: w.device.DeviceID(), router: w.router.RouterID(), relay: auth.RelayURL{Pin: auth.RelayPinOf(cert.Leaf)}}
	good := w.receipt(relay, auth.PeerRelay, w.device, w.router)
	if err := about.checkRelay(good); err != nil {
		t.Errorf("the relay's: %v", err)
	}
	for name, r := range map[string]*auth.Receipt{
		"none":                 nil,
		"a stranger's":         w.receipt(stranger, auth.PeerRelay, w.device, w.router),
		"about another device": w.receipt(relay, auth.PeerRelay, stranger, w.router),
		"for another router":   w.receipt(relay, auth.PeerRelay, w.device, stranger),
		"the router's":         w.receipt(w.router, auth.PeerRouter, w.device, w.router),
	} {
		if about.checkRelay(r) == nil {
			t.Errorf("%s passes as the relay's", name)
		}
	}
	about.relay.Pin = auth.RelayPin{}
	if err := about.checkRelay(good); err != nil {
		t.Errorf("without a pin: %v", err)
	}
	forged := *good
	forged.Signature = append([]byte{}, good.Signature...)
	forged.Signature[0] ^= 1
	if about.checkRelay(&forged) == nil {
		t.Error("a forged one passes without a pin")
	}
}

// TestForgetUnreachable: a router that can't be reached keeps everything here, unless the person wants otherwise.
func TestForgetUnreachable(t *testing.T) {
	w := &world{T: t, dir: filepath.Join(t.TempDir(), "device"), router: newIdentity(t), device: newIdentity(t)}
	w.relay = relaytest.Start(t, nil)
	w.writeStore(w.grant(1, nil))
	file := filepath.Join(t.TempDir(), "receipts.json")
	w.run("forget", "home", "--yes", "--receipt", file).want(t, cli.ExitUnreachable, "router_offline", "nothing was removed here", "lethe forget --local home")
	if _, err := os.Stat(file); err == nil || !w.kept() {
		t.Error("something was removed, or written")
	}
	w.run("forget", "home", "--local", "--yes").want(t, cli.ExitDone, "were not told", "forgot home")
	if w.kept() {
		t.Error("it is still here")
	}
}

// TestForgetAgain: an attempt that the relay has spoilt can be made again with the router's receipt from before.
func TestForgetAgain(t *testing.T) {
	w, file := forgetting(t)
	about := erasure{w.device.DeviceID(), w.router.RouterID(), w.relay, time.Now().Add(-time.Hour)}
	half := receipts{Router: w.receipt(w.router, auth.PeerRouter, w.device, w.router)}
	if err := half.write(file); err != nil {
		t.Fatal(err)
	}
	if got, err := loadReceipts(file, about); err != nil || got.Router == nil {
		t.Errorf("half of them: %v", err)
	}
	older := about
	older.pairedAt = time.Now().Add(time.Hour)
	for name, what := range map[string]struct {
		about erasure
		text  any
	}{
		"of an earlier pairing": {older, half},
		"of another router":     {about, receipts{Router: w.receipt(w.device, auth.PeerRouter, w.device, w.device)}},
		"complete":              {about, receipts{Router: half.Router, Relay: w.receipt(w.device, auth.PeerRelay, w.device, w.router)}},
		"something else":        {about, "a letter"},
		"empty":                 {about, receipts{}},
	} {
		text, _ := json.Marshal(what.text)
		putFile(t, file, text)
		if _, err := loadReceipts(file, what.about); err == nil || !strings.Contains(err.Error(), "choose another file with --receipt") {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.does(func() { w.refusal = "grant_revoked" }) // as it is after the first attempt
	os.Remove(file)
	w.run("forget", "home", "--yes", "--receipt", file).want(t, cli.ExitRefused, "grant_revoked", "nothing was removed here")
	if !w.kept() {
		t.Error("removed without the router's receipt")
	}
	if err := half.write(file); err != nil {
		t.Fatal(err)
	}
	w.run("forget", "home", "--yes", "--receipt", file).want(t, cli.ExitDone, "home has erased: evidence, grant", "forgot home")
}
