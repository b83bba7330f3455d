package programs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRoot: it is found from anywhere in the tree, and outside of it a hint is given.
func TestRoot(t *testing.T) {
	root, err := Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil || !strings.HasPrefix(string(text), "module "+module+"\n") {
		t.Errorf("%s: %q, %v", root, text, err)
	}
	t.Chdir(t.TempDir())
	if root, err := Root(t.Context()); err == nil || !strings.Contains(err.Error(), "source tree") {
		t.Errorf("%q, %v", root, err)
	}
	t.Setenv("PATH", "")
	if root, err := Root(t.Context()); err == nil || !strings.Contains(err.Error(), "source tree") {
		t.Errorf("without go: %q, %v", root, err)
	}
}
