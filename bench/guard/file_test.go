package guard

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/bench/suite"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard.json")
	if err := WriteFile(path, File{Report: &suite.Report{Commit: "abc"}, Values: Values{"x": 1.5}}); err != nil {
		t.Fatal(err)
	}
	if f, err := ReadFile(path); err != nil || f.Commit != "abc" || !maps.Equal(f.Values, Values{"x": 1.5}) {
		t.Errorf("%+v, %v", f, err)
	}
	for _, text := range []string{"", "{}", `{"values": {}}`, "[]"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); err == nil || strings.Contains(err.Error(), "%!") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestCommitted: the committed file has a value for all that is watched, and no others
// but those of functions. Tolerances are such that a doubling is noticed.
func TestCommitted(t *testing.T) {
	f, err := ReadFile(filepath.Join("..", "results", "guard.json"))
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, w := range Watched() {
		if names[w.Name()] {
			t.Errorf("%s is watched twice", w.Name())
		}
		names[w.Name()] = true
		if f.Values[w.Name()] <= 0 {
			t.Errorf("%s: no value: go run ./bench guard --renew", w.Name())
		}
		if w.Tolerance <= 0 || w.Tolerance > 0.6 || w.More && w.Tolerance >= 0.5 {
			t.Errorf("%s: a tolerance of %v lets a doubling pass", w.Name(), w.Tolerance)
		}
	}
	for name := range f.Values {
		if !IsFunction(name) && !names[name] {
			t.Errorf("%s: nothing gives this value", name)
		}
	}
}

// TestCommittedFunctions: the committed file has a value for each hot function, with all
// its cases, and for no other. Each runs once: only their names count here.
func TestCommittedFunctions(t *testing.T) {
	f, err := ReadFile(filepath.Join("..", "results", "guard.json"))
	if err != nil {
		t.Fatal(err)
	}
	there, err := Functions(t.Context(), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for name := range there {
		if _, committed := f.Values[name]; !committed {
			t.Errorf("%s: no value: go run ./bench guard --renew", name)
		}
	}
	for name := range f.Values {
		if _, is := there[name]; IsFunction(name) && !is {
			t.Errorf("%s: nothing gives this value", name)
		}
	}
}
