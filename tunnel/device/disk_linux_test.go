package device

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

// TestPairFullDisk: a device that can't store a router does not ask it, so that the URI stays good.
func TestPairFullDisk(t *testing.T) {
	relay, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	dir := mountTmpfs(t, "size=64k")
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 80<<10), 0o600) // fails when the disk is full, as it should
	_, err = s.Pair(t.Context(), auth.PairingURI{Relay: auth.RelayURL{Host: relay.LocalAddr().String()}}, "", "")
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space") {
		t.Errorf("got %v", err)
	}
	relay.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, _, err := relay.ReadFrom(make([]byte, 2000)); err == nil {
		t.Errorf("the relay was asked: %d bytes", n)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, routersDir)); len(left) != 0 {
		t.Errorf("left over: %v", left)
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
