package device

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRoutersBesideDamaged: damaged files do not hide the other routers, and each is named.
func TestRoutersBesideDamaged(t *testing.T) {
	s, dir := newStore(t)
	files := filepath.Join(dir, routersDir)
	for _, name := range []string{"boat", "cabin", "home", "work"} {
		put(t, s, name)
	}
	for name, text := range map[string]string{"boat.json": "{", "home-cert.pub": "noise"} {
		if err := os.WriteFile(filepath.Join(files, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Routers()
	if len(got) != 2 || got[0].Name != "cabin" || got[1].Name != "work" {
		t.Errorf("got %d routers, want cabin and work", len(got))
	}
	if err == nil {
		t.Fatal("nothing is said of the damaged ones")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], files+"/boat.json can't be used: ") || !strings.HasPrefix(lines[1], files+"/home-cert.pub can't be used: ") {
		t.Errorf("got %v; want a sentence for boat.json and one for home-cert.pub", err)
	}
}

func TestRouterWithNoiseBehind(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "home")
	path := filepath.Join(dir, routersDir, "home.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, "noise"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Router("home"); err == nil || !strings.HasPrefix(err.Error(), path+" can't be used: something stands behind the end") {
		t.Errorf("got %v", err)
	}
}
