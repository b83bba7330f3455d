package agent

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPairFullDisk: a router that can't store a device has not paired with it, and says so to whoever waits.
func TestPairFullDisk(t *testing.T) {
	dir := mountTmpfs(t, "size=64k")
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

// mountTmpfs mounts a small file system for the rest of the test. The mount is in a namespace of the test's own
// thread: it is gone with the thread, and nobody else ever sees it.
func mountTmpfs(t *testing.T, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to have a real disk that is full")
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
		t.Skipf("needs a mount namespace: %v", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Skipf("needs a private mount namespace: %v", err)
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}
