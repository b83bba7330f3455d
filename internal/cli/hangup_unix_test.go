//go:build unix

package cli

import (
	"syscall"
	"testing"
	"time"
)

// TestOnHangup: the signal calls, and ends nobody.
func TestOnHangup(t *testing.T) {
	called := make(chan struct{}, 1)
	OnHangup(t.Context(), func() { called <- struct{}{} })
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	select {
	case <-called:
	case <-time.After(10 * time.Second):
		t.Fatal("it was not called")
	}
}
