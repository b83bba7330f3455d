package device

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

// TestForget: with a router goes its login unless another router needs it, and with the last one goes the key.
func TestForget(t *testing.T) {
	s, dir, shared, own := storeOfThree(t)
	for _, step := range []struct {
		name                   string
		shared, own, key, left bool
	}{
		{"home", true, true, true, true},
		{"cabin", true, false, true, true},
		{"boat", false, false, false, false},
	} {
		if err := s.Forget(step.name); err != nil {
			t.Fatal(err)
		}
		_, hasShared, _ := s.Login(shared)
		_, hasOwn, _ := s.Login(own)
		_, err := os.Stat(filepath.Join(dir, keyFile))
		if hasShared != step.shared || hasOwn != step.own || (err == nil) != step.key {
			t.Errorf("without %s: shared login %t, own login %t, key %t", step.name, hasShared, hasOwn, err == nil)
		}
		if entries, _ := os.ReadDir(filepath.Join(dir, routersDir)); (len(entries) > 0) != step.left {
			t.Errorf("without %s: %d files", step.name, len(entries))
		}
	}
	if s.Identity() != nil {
		t.Error("the key is still in use")
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != "lock" && e.Name() != routersDir {
			t.Errorf("left over: %s", e.Name())
		}
	}
	if again, err := Open(dir); err != nil || again.Identity() != nil {
		t.Errorf("the empty folder: %v", err)
	}
}

// TestForgetDamaged: a router whose files can't be read can be forgotten, and nobody's login goes by mistake.
func TestForgetDamaged(t *testing.T) {
	s, dir := newStore(t)
	relay := auth.RelayURL{Host: "relay.example.org:443"}
	putFor(t, s, "home", newIdentity(t), relay)
	putFor(t, s, "cabin", newIdentity(t), relay)
	if err := s.KeepLogin(relay, testLogin(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := statefile.Write(filepath.Join(dir, routersDir, "home.json"), []byte("{")); err != nil {
		t.Fatal(err)
	}
	if err := s.Forget("cabin"); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := s.Login(relay); !found {
		t.Error("the login is gone, and the damaged router may need it")
	}
	if err := s.Forget("home"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, keyFile)); err == nil {
		t.Error("the key is still there")
	}
	if err := s.Forget("home"); !errors.Is(err, ErrUnknownRouter) {
		t.Errorf("once more: %v", err)
	}
}
