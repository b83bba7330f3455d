package hostcheck

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestThisKernel compares the real answers with what the kernel says elsewhere.
func TestThisKernel(t *testing.T) {
	var k ThisKernel
	if _, _, err := k.LockLimit(); err != nil {
		t.Error(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("there is no /proc to compare with")
	}
	if has := bytes.Contains(status, []byte("\nSeccomp:")); has != (k.Seccomp() == nil) {
		t.Errorf("/proc knows seccomp: %v; it says %v", has, k.Seccomp())
	}
	if modules, err := os.ReadFile("/sys/kernel/security/lsm"); err == nil {
		abi, err := k.Landlock()
		if has := strings.Contains(string(modules), "landlock"); has != (err == nil && abi > 0) {
			t.Errorf("the kernel's security modules are %s, and Landlock is %d, %v", modules, abi, err)
		}
	}
	if _, err := k.ClockSynchronised(); err != nil {
		t.Error(err)
	}
}

// TestThisHost: the checks read what a real kernel writes.
func TestThisHost(t *testing.T) {
	r := Run(t.Context(), &Host{Root: os.DirFS("/"), Kernel: ThisKernel{}})
	if n := len(r.Findings) + len(r.NotChecked) + len(r.Good); n < len(Names()) {
		t.Errorf("%d checks said something, of %d", n, len(Names()))
	}
	for _, n := range r.NotChecked {
		if strings.Contains(n.Why, "holds no number") {
			t.Errorf("%s: %s", n.Check, n.Why)
		}
	}
	t.Logf("%+v", r)
}
