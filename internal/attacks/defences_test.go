package attacks

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestListed: the list is about this code, and SECURITY.md is about this list.
func TestListed(t *testing.T) {
	told := read(t, "SECURITY.md")
	_, told, _ = strings.Cut(told, "## Attacks and what shows that they fail")
	told, _, _ = strings.Cut(told, "\n## ")
	for _, a := range attacks {
		if n := strings.Count(read(t, a.file), a.defence); n != 1 {
			t.Errorf("%s: %s has the defence %d times: %s", a.name, a.file, n, a.defence)
		}
		if !hasTest(t, a) {
			t.Errorf("%s: %s has no test %s", a.name, a.pkg, a.test)
		}
		if row := "| " + a.name + " | " + a.by + " |"; !strings.Contains(told, row) {
			t.Errorf("SECURITY.md has no row %s", row)
		}
	}
	if rows := strings.Count(told, "\n| ") - 1; rows != len(attacks) || rows < 30 { // less the head
		t.Errorf("SECURITY.md has %d rows for %d attacks", rows, len(attacks))
	}
}

func hasTest(t *testing.T, a attack) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, a.pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("func "+a.test+"(t *testing.T)")) {
			return true
		}
	}
	return false
}

// TestDefences: with each test its defence is needed.
func TestDefences(t *testing.T) {
	if os.Getenv("LETHE_DEFENCES") == "" {
		t.Skip("compiles a package for each attack: set LETHE_DEFENCES=1")
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			out, err := runWithout(t, a)
			failed := regexp.MustCompile(`(?m)^--- FAIL: ` + a.test + `\b`)
			if err == nil || !failed.Match(out) {
				t.Errorf("without its defence, %s does not fail: %v\n%s", a.test, err, out)
			}
		})
	}
}

// runWithout runs the attack's test without its defence.
func runWithout(t *testing.T, a attack) ([]byte, error) {
	t.Helper()
	changed := filepath.Join(t.TempDir(), filepath.Base(a.file))
	text := strings.Replace(read(t, a.file), a.defence, a.without, 1)
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(filepath.Join(root, a.file))
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	doc, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-timeout=120s", "-overlay", overlay, "-run", "^"+a.test+"$", "./"+a.pkg)
	cmd.Dir = root
	return cmd.CombinedOutput()
}
