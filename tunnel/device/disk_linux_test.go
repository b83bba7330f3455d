package device

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/tmpfstest"
)

// TestPairFullDisk: a device that can't store a router does not ask it, so that the URI stays good.
func TestPairFullDisk(t *testing.T) {
	relay, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	dir := tmpfstest.Mount(t, "size=64k")
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
