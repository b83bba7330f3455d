package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/tmpfstest"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// TestPairFullDisk: a router that can't store a device has not paired with it, and says so to whoever waits.
func TestPairFullDisk(t *testing.T) {
	dir := tmpfstest.Mount(t, "size=64k")
	p, phone := newPairing(t, dir), newIdentity(t)
	filler := filepath.Join(dir, "filler")
	os.WriteFile(filler, make([]byte, 80<<10), 0o600) // fails when the disk is full, as it should
	o, err := p.open(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = p.pair(p.attempt(o, phone))
	if !errors.Is(err, syscall.ENOSPC) || p.devices.admits(phone.DeviceID(), 1) {
		t.Errorf("%v, admitted %t", err, p.devices.admits(phone.DeviceID(), 1))
	}
	if how := <-o.ended; how.err == nil || !strings.Contains(how.err.Error(), "no space left on device; free some space") {
		t.Errorf("told: %+v", how)
	}
	if left, err := loadDevices(p.devices.path); err != nil || len(left.byID) != 0 {
		t.Errorf("on the disk: %+v, %v", left, err)
	}

	os.Remove(filler)
	if o, err = p.open(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.pair(p.attempt(o, phone)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	os.WriteFile(filler, make([]byte, 80<<10), 0o600)
	if had, err := p.devices.remove(phone.DeviceID()); had || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("remove: %t, %v", had, err)
	}
}

// fullDisk is an agent whose disk can be filled and emptied.
func fullDisk(t *testing.T) (a *Agent, full func(bool)) {
	t.Helper()
	dir := tmpfstest.Mount(t, "size=256k")
	a = startAgent(t, filepath.Join(dir, "agent"), strict)
	filler := filepath.Join(dir, "filler")
	return a, func(full bool) {
		os.Remove(filler)
		if full {
			os.WriteFile(filler, make([]byte, 512<<10), 0o600) // fails when the disk is full, as it should
		}
	}
}

// TestRememberFullDisk: a phone that can't be remembered is let in as before, with the grant that it has, and
// what was learned is not half kept.
func TestRememberFullDisk(t *testing.T) {
	a, full := fullDisk(t)
	if err := a.cfg.SetPIN(testPIN); err != nil {
		t.Fatal(err)
	}
	p := newPhone(t, a, "mine")
	full(true)
	r := p.open(atHome)
	p.wants("the first session", r, allow, nil)
	if r.Grant != nil || len(p.kept().Learned) != 0 || p.kept().Replaced != 0 || !a.devices.admits(p.id.DeviceID(), p.device.Grant.Serial) {
		t.Errorf("grant %x, kept %+v", r.Grant, p.kept())
	}
	full(false)
	p.open(atHome)
	full(true)
	p.renew()
	p.wants("the fresh grant", p.open(atHome), allow, nil) // the old one can't be taken back
	if one := p.kept(); one.Replaced == 0 || len(a.devices.grants) != 0 {
		t.Errorf("half taken back: %+v, %v", one, a.devices.grants)
	}
	if _, err := a.admit(p.at(hotel), time.Now()); !isRefused(err, "internal") || len(p.kept().Learned) != 1 {
		t.Errorf("a confirmation that can't be kept: %v, %d environments", err, len(p.kept().Learned))
	}
	if _, err := a.confirm(t.Context(), p.at(hotel), testPIN); !isRefused(err, "internal") {
		t.Errorf("a PIN that can't be counted: %v", err)
	}
	full(false)
	p.wants("with room again", p.open(atHome), allow, nil)
	if p.kept().Replaced != 0 {
		t.Error("the old grant is still good")
	}
}

// TestShareFullDisk: an invitation that can't be kept is none, and one that can't be spent gives nothing, and is
// not spent.
func TestShareFullDisk(t *testing.T) {
	a, full := fullDisk(t)
	share := service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Name: "anna"}
	full(true)
	mustFail(t, a.manage(service.ManageRequest{Do: "share", Share: &share}, administrator), "no space left")
	if a.pairing.isOpen() {
		t.Error("it is open")
	}
	full(false)
	secret := a.invite(t, share, administrator)
	full(true)
	mustFail(t, a.manage(service.ManageRequest{Do: "unshare", Device: "anna"}, administrator), "no space left")
	if p, err := accept(t, a, secret); !errors.Is(err, syscall.ENOSPC) || a.devices.admits(p.id.DeviceID(), 1) {
		t.Errorf("accepted: %v", err)
	}
	full(false)
	a.close()
	a = startAgent(t, a.cfg.dir, strict)
	if _, err := accept(t, a, secret); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// TestForgetFullDisk: what can't be erased is not said to be, and may be asked for again.
func TestForgetFullDisk(t *testing.T) {
	a, full := fullDisk(t)
	p, _ := newBusyPhone(t, a)
	full(true)
	answer := a.withdraw(service.ManageRequest{Do: "forget"}, p.asker())
	mustFail(t, answer, "no space left")
	if answer.Receipt != nil {
		t.Error("a receipt for nothing")
	}
	mustFail(t, a.manage(service.ManageRequest{Do: "revoke", Device: "mine"}, administrator), "no space left")
	if !a.devices.admits(p.id.DeviceID(), p.kept().Serial) {
		t.Error("locked out by a revocation that failed")
	}
	full(false)
	mustNotFail(t, a.withdraw(service.ManageRequest{Do: "forget"}, p.asker()))
}
