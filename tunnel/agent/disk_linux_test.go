package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/tmpfstest"
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
