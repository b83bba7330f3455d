package leak

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/lethe-relay/lethe"

// TestNoProgramLeaks: nobody comes by a program that leaks without the tag.
func TestNoProgramLeaks(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		leaks bool
	}{
		{[]string{module + "/cmd/...", module + "/bench/..."}, false},
		{[]string{"-tags=lethe_leak", module + "/cmd/lethe-relay"}, true}, // or the first shows nothing
	} {
		out, err := exec.Command("go", append([]string{"list", "-deps"}, tt.args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		if leaks := bytes.Contains(out, []byte(module+"/internal/leak\n")); leaks != tt.leaks || !bytes.Contains(out, []byte("/relay/forward\n")) {
			t.Errorf("go list -deps %s has internal/leak: %v, want %v", strings.Join(tt.args, " "), leaks, tt.leaks)
		}
	}
}

// TestReleaseHasNoSymbol looks into the two binaries.
func TestReleaseHasNoSymbol(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the relay twice")
	}
	for _, tt := range []struct {
		tags  string
		leaks bool
	}{{"", false}, {"lethe_leak", true}} {
		binary := filepath.Join(t.TempDir(), "lethe-relay")
		if out, err := exec.Command("go", "build", "-tags="+tt.tags, "-o", binary, module+"/cmd/lethe-relay").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		symbols, err := exec.Command("go", "tool", "nm", binary).Output()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(symbols, []byte(module+"/relay/forward.(*loop).send")) {
			t.Fatal("the symbols of the data plane are missing: the test looks at the wrong thing")
		}
		content, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		for what, has := range map[string]bool{
			"a symbol of internal/leak":   bytes.Contains(symbols, []byte(module+"/internal/leak.")),
			"a symbol of a hook":          bytes.Contains(symbols, []byte("relay/forward.(*loop).leak")),
			"the name of its environment": bytes.Contains(content, []byte("LETHE_LEAK")),
		} {
			if has != tt.leaks {
				t.Errorf("built with the tags %q, the relay has %s: %v, want %v", tt.tags, what, has, tt.leaks)
			}
		}
	}
}
