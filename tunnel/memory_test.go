package tunnel

import (
	"runtime/debug"
	"testing"
)

// TestMemoryLimit: what GOMEMLIMIT allows is less than the machine has.
func TestMemoryLimit(t *testing.T) {
	before := ownMemory()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(48 << 20))
	if got := ownMemory(); got != 48<<20 || before <= got {
		t.Errorf("%d, and %d without a limit", got, before)
	}
}
