package agent

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// The tests here go through a relay, with all parts as they are.

// around is what a device sees around it, and may change.
type around struct{ at atomic.Pointer[where] }

func (e *around) goTo(w where) { e.at.Store(&w) }

// Evidence implements [tunnel.Environment].
func (e *around) Evidence(context.Context) (ecv.Evidence, error) {
	w := e.at.Load()
	place, err := ecv.PlaceAt(w.lat, w.lon, time.Now())
	return ecv.Evidence{WiFi: &ecv.Network{SSID: w.ssid, Seen: time.Now()}, Place: &place}, err
}

// newHomePhone is a phone that was paired in a home with a policy, and has shown it.
func newHomePhone(t *testing.T, h *home, uri auth.PairingURI) (*device.Store, *device.Router, *around) {
	t.Helper()
	store, env := newStore(t), &around{}
	env.goTo(atHome)
	store.Environment = env
	router, err := store.Pair(h.context(), uri, "", "mine")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Introduce(h.context(), router); err != nil {
		t.Fatal(err)
	}
	return store, router, env
}

func (h *home) link(store *device.Store, r *device.Router) *device.Link {
	link := store.Link(r)
	h.t.Cleanup(func() { link.Close() })
	return link
}

const guarded = `
ecv: {allow: 70, services: [{name: status, allow: 30}]}
services: [{name: http, target: "`

// TestWholeStepUp: a phone in a strange place gets only what is easy there; the PIN lets it in.
func TestWholeStepUp(t *testing.T) {
	h := newHome(t, t.TempDir(), guarded+target(t)+`"}]`)
	store, router, env := newHomePhone(t, h, h.uri())
	if text, err := h.get(h.link(store, router), "http"); err != nil || text != "hello" {
		t.Fatalf("at home: %q, %v", text, err)
	}
	env.goTo(hotel)
	link := h.link(store, router)
	var refused *tunnel.RefusedError
	if _, err := h.get(link, "http"); !errors.As(err, &refused) || refused.Code != "step_up_required" || len(refused.Reasons) == 0 {
		t.Errorf("in the hotel: %v", err)
	}
	if _, err := h.get(link, service.NameStatus); err != nil {
		t.Errorf("what is easy: %v", err)
	}
	if err := h.cfg.SetPIN(testPIN); err != nil {
		t.Fatal(err)
	}
	tun, err := link.Tunnel(h.context())
	if err != nil {
		t.Fatal(err)
	}
	if err := tun.Confirm(h.context(), "000001"); !errors.Is(err, &tunnel.RefusedError{Code: "pin_wrong"}) {
		t.Errorf("a wrong PIN: %v", err)
	}
	if err := tun.Confirm(h.context(), testPIN); err != nil {
		t.Fatal(err)
	}
	if err := link.Kept(); err != nil {
		t.Error(err)
	}
	if text, err := h.get(h.link(store, router), "http"); err != nil || text != "hello" {
		t.Errorf("in the hotel, confirmed: %q, %v", text, err)
	}
}

// ask asks the router for something through one of its services.
func (h *home) ask(link *device.Link, through string, request service.ManageRequest) (service.ManageAnswer, error) {
	h.t.Helper()
	conn, err := link.Open(h.context(), through)
	if err != nil {
		return service.ManageAnswer{}, err
	}
	defer conn.Close()
	return service.Manage(h.context(), conn, request)
}

// TestWholeShare: what is shared reaches as far as it says, and ends at once when it is taken back.
func TestWholeShare(t *testing.T) {
	h := newHome(t, t.TempDir(), `services: [{name: http, target: "`+target(t)+`"}, {name: ssh, target: "tcp:127.0.0.1:1"}]`)
	_, mine := h.pair()
	share := service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Name: "anna"}
	answer, err := h.ask(mine, service.NameManage, service.ManageRequest{Do: "share", Share: &share})
	if err != nil {
		t.Fatal(err)
	}
	uri, err := auth.ParsePairingURI(answer.Invitation.URI)
	if err != nil {
		t.Fatal(err)
	}
	store := newStore(t)
	router, err := store.Pair(h.context(), uri, "", "I am the owner")
	if err != nil {
		t.Fatal(err)
	}
	anna := h.link(store, router)
	if text, err := h.get(anna, "http"); err != nil || text != "hello" {
		t.Errorf("what was shared: %q, %v", text, err)
	}
	for _, name := range []string{"ssh", service.NameManage, service.NameStatus} {
		if _, err := h.get(anna, name); !errors.Is(err, &tunnel.RefusedError{Code: "service_not_granted"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newStore(t).Pair(h.context(), uri, "", ""); !errors.Is(err, &tunnel.RefusedError{Code: "pairing_closed"}) {
		t.Errorf("the invitation again: %v", err)
	}
	tun, err := anna.Tunnel(h.context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.ask(mine, service.NameManage, service.ManageRequest{Do: "unshare", Device: "anna"}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-tun.Done():
	case <-time.After(patience):
		t.Error("the tunnel goes on")
	}
	if _, err := h.get(anna, "http"); !errors.Is(err, &tunnel.RefusedError{Code: "grant_revoked"}) {
		t.Errorf("after it was taken back: %v", err)
	}
}

// TestWholeForget: a device sees what is held about it, has it erased, reads the receipt, and is gone.
func TestWholeForget(t *testing.T) {
	h := newHome(t, t.TempDir(), guarded+target(t)+`"}]`)
	store, router, _ := newHomePhone(t, h, h.uri())
	link := h.link(store, router)
	answer, err := h.ask(link, service.NamePersonal, service.ManageRequest{Do: "export"})
	var held Holdings
	if err != nil || json.Unmarshal(answer.Export, &held) != nil || len(held.Learned) != 1 || held.Device.Name != "mine" {
		t.Errorf("%v: %s", err, answer.Export)
	}
	tun, err := link.Tunnel(h.context())
	if err != nil {
		t.Fatal(err)
	}
	answer, err = h.ask(link, service.NameForget, service.ManageRequest{Do: "forget"})
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Receipt.Verify(h.agent.identity.PublicKey()); err != nil || answer.Receipt.Device != store.Identity().DeviceID() {
		t.Errorf("receipt: %v", err)
	}
	select {
	case <-tun.Done():
	case <-time.After(patience):
		t.Error("the tunnel goes on")
	}
	if _, err := h.get(link, service.NameStatus); !errors.Is(err, &tunnel.RefusedError{Code: "grant_revoked"}) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestWholeForgetWithoutLog: a device that the administrator has forgotten is gone, though its log can't be
// erased yet.
func TestWholeForgetWithoutLog(t *testing.T) {
	h := newHome(t, t.TempDir(), "")
	_, link := h.pair()
	tun, err := link.Tunnel(h.context())
	if err != nil {
		t.Fatal(err)
	}
	path := h.cfg.path(journalFile)
	written := h.agent.journal.Prune(time.Time{}) // so that nothing is on its way to the file
	if err := errors.Join(written, os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.cfg.Manage(h.context(), service.ManageRequest{Do: "forget", Device: "a phone"}); err == nil || !strings.Contains(err.Error(), "all is erased but the log") {
		t.Errorf("forget: %v", err)
	}
	select {
	case <-tun.Done():
	case <-time.After(patience):
		t.Error("the tunnel goes on")
	}
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
}

// TestWholePairAgain: a tunnel from before a new pairing gets no service any more.
func TestWholePairAgain(t *testing.T) {
	h := newHome(t, t.TempDir(), `services: [{name: http, target: "`+target(t)+`"}]`)
	store, link := h.pair()
	if _, err := h.get(link, "http"); err != nil {
		t.Fatal(err)
	}
	if _, err := tunnel.Pair(h.context(), tunnel.PairConfig{Identity: store.Identity(), URI: h.uri()}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.get(link, "http"); !errors.Is(err, &tunnel.RefusedError{By: "router", Code: "grant_revoked"}) {
		t.Errorf("the old tunnel: %v", err)
	}
}
