package agent

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// TestRevoke: on the router and from an owner's device, by name and by ID; the
// other's tunnels end at once, and its grant is good for nothing, over restarts.
func TestRevoke(t *testing.T) {
	dir := t.TempDir()
	h := newHome(t, dir, `services: [{name: http, target: "`+target(t)+`"}]`)
	_, mine := h.pair()
	lostStore, lost := h.pair()
	stolenStore, stolen := h.pair()
	lostID, stolenID := lostStore.Identity().DeviceID(), stolenStore.Identity().DeviceID()

	list, err := h.cfg.Manage(h.context(), service.ManageRequest{Do: "devices"})
	if err != nil || len(list.Devices) != 3 || list.Devices[1].ID != lostID || list.Devices[1].Role != auth.RoleOwner {
		t.Fatalf("%+v, %v", list, err)
	}
	cut, err := lost.Tunnel(h.context())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.cfg.Manage(h.context(), service.ManageRequest{Do: "revoke", Device: lostID.Short()})
	if err != nil || answer.Revoked.ID != lostID {
		t.Fatalf("%+v, %v", answer, err)
	}
	select { // long before its idle time-out
	case <-cut.Done():
	case <-time.After(patience):
		t.Error("the tunnel goes on")
	}

	conn, err := mine.Open(h.context(), service.NameManage)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := service.Manage(h.context(), conn, service.ManageRequest{Do: "revoke", Device: stolenID.String()}); err != nil {
		t.Fatal(err)
	}
	refused := &tunnel.RefusedError{By: "relay", Code: "grant_revoked"}
	check := func() {
		t.Helper()
		if _, err := h.get(lost, "http"); !errors.Is(err, refused) {
			t.Errorf("the lost device: %v", err)
		}
		if _, err := h.get(stolen, "http"); !errors.Is(err, refused) {
			t.Errorf("the stolen device: %v", err)
		}
		if text, err := h.get(mine, "http"); err != nil || text != "hello" {
			t.Errorf("another device: %q, %v", text, err)
		}
	}
	check()
	h.stop()
	saved, err := loadDevices(filepath.Join(dir, devicesFile))
	if err != nil || len(saved.byID) != 1 || saved.revision != 2 || len(saved.grants) != 2 {
		t.Errorf("%+v, %v", saved, err)
	}
	h.start()
	check()
}

// TestRevokeRefusals: each says what is wrong, and changes nothing.
func TestRevokeRefusals(t *testing.T) {
	h := newHome(t, t.TempDir(), "")
	store, link := h.pair()
	h.pair()
	for device, want := range map[string]string{
		"":        `no paired device has the ID or name ""`,
		"nobody":  `no paired device has the ID or name "nobody"`,
		"a phone": `2 devices are named "a phone"`,
	} {
		if _, err := h.cfg.Manage(h.context(), service.ManageRequest{Do: "revoke", Device: device}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", device, err)
		}
	}
	conn, err := link.Open(h.context(), service.NameManage)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = service.Manage(h.context(), conn, service.ManageRequest{Do: "revoke", Device: store.Identity().DeviceID().Short()})
	if err == nil || !strings.Contains(err.Error(), "unpair") {
		t.Errorf("a device that revokes itself: %v", err)
	}
	if list, err := h.cfg.Manage(h.context(), service.ManageRequest{Do: "devices"}); err != nil || len(list.Devices) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestRevocations: each change has a new revision; entries go when their grant
// has expired, and the list stays within what a relay takes.
func TestRevocations(t *testing.T) {
	now := time.Now()
	device := func(n int, lasts time.Duration) PairedDevice {
		return PairedDevice{ID: auth.DeviceID{byte(n), byte(n >> 8)}, Serial: uint64(n), Expires: now.Add(lasts)}
	}
	if (revocations{}).wireForm() != nil {
		t.Error("nothing was revoked, and there is something to tell")
	}
	r := revocations{}.with(device(1, time.Hour), now).with(device(2, time.Minute), now)
	if r.revision != 2 || len(r.grants) != 2 {
		t.Fatalf("%+v", r)
	}
	r = r.with(device(3, 2*time.Hour), now.Add(time.Minute))
	if r.revision != 3 || len(r.grants) != 2 || r.grants[0].Serial != 1 {
		t.Fatalf("after one has expired: %+v", r)
	}
	for n := range auth.MaxRevocations {
		r = r.with(device(10+n, 3*time.Hour), now)
	}
	list, err := auth.ParseRevocations(r.wireForm())
	if err != nil || len(list.Devices) != auth.MaxRevocations || list.Number != r.revision {
		t.Fatalf("%d devices, number %d, %v", len(list.Devices), list.Number, err)
	}
	if list.Revoked(device(1, 0).ID, 1) || !list.Revoked(device(10, 0).ID, 10) {
		t.Error("not those that expire last were kept")
	}
}

// TestGuestsDoNotManage: the list is for owners.
func TestGuestsDoNotManage(t *testing.T) {
	h := newHome(t, t.TempDir(), "")
	guest := newIdentity(t)
	identity, expires := h.agent.identity, time.Now().Add(time.Hour)
	one := PairedDevice{
		ID: guest.DeviceID(), Role: auth.RoleGuest, Services: []string{service.NameManage},
		PairedAt: time.Now(), Expires: expires, Secret: make([]byte, 32),
	}
	raw, err := h.agent.devices.add(one, func(one PairedDevice) ([]byte, error) {
		return h.agent.issuer.sign(one, guest.PublicKey(), time.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	tun, err := tunnel.Dial(h.context(), tunnel.DialConfig{Identity: guest, Router: tunnel.Router{Relay: h.cfg.Relay, ID: identity.RouterID(), Grant: raw}})
	if err != nil {
		t.Fatal(err)
	}
	defer tun.Close()
	stream, err := tun.Open(h.context(), service.NameManage)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	_, err = service.Manage(h.context(), stream, service.ManageRequest{Do: "devices"})
	if !errors.Is(err, &tunnel.RefusedError{Code: "denied"}) {
		t.Errorf("a guest: %v", err)
	}
}

// TestRevokeTakesWhatWasShared: a thief may have invited himself, and himself again. Who asks stays, and whom he
// has invited.
func TestRevokeTakesWhatWasShared(t *testing.T) {
	owner := service.Share{Role: auth.RoleOwner, Services: []string{"*"}, For: day}
	for name, keep := range map[string]bool{"all": false, "but those that he has shared with": true} {
		t.Run(name, func(t *testing.T) {
			a := newAgent(t, strict)
			shared := func(by *phone, called string) *phone {
				owner.Name, owner.For = called, by.kept().Expires.Sub(time.Now().Add(time.Minute))
				p, err := accept(t, a, a.invite(t, owner, by.asker()))
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			stolen := newPhone(t, a, "stolen")
			thief := shared(stolen, "thief")
			helper := shared(thief, "helper")
			asks := shared(stolen, "asks")
			guest := shared(asks, "guest")
			answer := mustNotFail(t, a.manage(service.ManageRequest{Do: "revoke", Device: "stolen", KeepShared: keep}, asks.asker()))
			if len(answer.Invited) != 2 || answer.Invited[0].Name != "thief" || answer.Invited[1].Name != "helper" {
				t.Errorf("told of %+v", answer.Invited)
			}
			for _, p := range []struct {
				*phone
				stays bool
			}{{stolen, false}, {thief, keep}, {helper, keep}, {asks, true}, {guest, true}} {
				if _, known := a.devices.get(p.id.DeviceID()); known != p.stays {
					t.Errorf("%s is on the list: %t", p.id.DeviceID().Short(), known)
				}
			}
		})
	}
}
