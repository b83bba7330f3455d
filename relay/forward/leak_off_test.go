//go:build !lethe_leak

package forward

import (
	"bytes"
	"os/exec"
	"testing"
)

// TestLeaks runs the tests of leak_on.go, which need a build with the tag: a plane
// that is to leak does so when nothing stops it.
func TestLeaks(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the package once more")
	}
	out, err := exec.Command("go", "test", "-count=1", "-tags=lethe_leak", "-run=^TestLeak", "-v", ".").CombinedOutput()
	if err != nil || bytes.Count(out, []byte("--- PASS: TestLeak")) != 5 {
		t.Fatalf("%v\n%s", err, out)
	}
}
