package device

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

func testLogin(left time.Duration) Login {
	return Login{Issuer: "https://id.example.org", ClientID: "lethe", IDToken: "a.b.c", Expires: time.Now().Add(left).UTC().Truncate(time.Second)}
}

// TestLogins: a login is for one relay, is dialled with there, and is gone when it has expired.
func TestLogins(t *testing.T) {
	s, dir := newStore(t)
	one, other := auth.RelayURL{Host: "one.example.org:443"}, auth.RelayURL{Host: "other.example.org:443"}
	if _, found, err := s.Login(one); found || err != nil {
		t.Fatalf("found: %t, %v", found, err)
	}
	want := testLogin(time.Hour)
	if err := s.KeepLogin(one, want); err != nil {
		t.Fatal(err)
	}
	if got, found, err := s.Login(one); got != want || !found || err != nil {
		t.Errorf("got %+v, %t, %v", got, found, err)
	}
	for relay, token := range map[auth.RelayURL]string{one: "a.b.c", other: ""} {
		link := s.Link(putFor(t, s, "home", newIdentity(t), relay))
		if got := link.config().IDToken; got != token {
			t.Errorf("%s is shown %q", relay.Host, got)
		}
		link.Close()
	}
	if info, err := os.Stat(filepath.Join(dir, loginsFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is not private: %v", err)
	}
	if err := s.DropLogin(one); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, loginsFile)); err == nil {
		t.Error("an empty file is left over")
	}
}

// TestLoginsDamaged: the sentence says how to mend it, and holds nothing of the file.
func TestLoginsDamaged(t *testing.T) {
	s, dir := newStore(t)
	path := filepath.Join(dir, loginsFile)
	if err := os.WriteFile(path, []byte(`{"logins": {}} a.secret.token`), 0o600); err != nil {
		t.Fatal(err)
	}
	want := path + " can't be used: something stands behind the end of the JSON value; remove it and log in again with 'lethe login'"
	if _, _, err := s.Login(auth.RelayURL{}); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestLoginExpires: an expired token is not found, and does not stay in the file once somebody has looked; but for a
// folder in use nobody waits.
func TestLoginExpires(t *testing.T) {
	s, dir := newStore(t)
	old, other := auth.RelayURL{Host: "old.example.org:443"}, auth.RelayURL{Host: "other.example.org:443"}
	doc, err := json.Marshal(loginsDocument{map[string]Login{old.Host: testLogin(-time.Second), other.Host: testLogin(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, loginsFile)
	if err := statefile.Write(path, doc); err != nil {
		t.Fatal(err)
	}
	unlock, err := statefile.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, inUse := range []bool{true, false} {
		if _, found, err := s.Login(old); found || err != nil {
			t.Errorf("an expired one is found: %t, %v", found, err)
		}
		if _, found, err := s.Login(other); !found || err != nil {
			t.Errorf("one that is good is found: %t, %v", found, err)
		}
		if text, _ := os.ReadFile(path); strings.Contains(string(text), old.Host) != inUse || !strings.Contains(string(text), other.Host) {
			t.Errorf("folder in use: %t: %s", inUse, text)
		}
		if inUse {
			unlock()
		}
	}
}

// storeOfThree is a store with a router at a relay of its own, called cabin, and two
// that share one, boat and home. There is a login to each relay.
func storeOfThree(t *testing.T) (s *Store, dir string, shared, own auth.RelayURL) {
	t.Helper()
	s, dir = newStore(t)
	shared, own = auth.RelayURL{Host: "shared.example.org:443"}, auth.RelayURL{Host: "own.example.org:443"}
	putFor(t, s, "boat", newIdentity(t), shared)
	putFor(t, s, "cabin", newIdentity(t), own)
	putFor(t, s, "home", newIdentity(t), shared)
	if err := errors.Join(s.KeepLogin(shared, testLogin(time.Hour)), s.KeepLogin(own, testLogin(time.Hour))); err != nil {
		t.Fatal(err)
	}
	return s, dir, shared, own
}

// TestRemoveDropsLogins: with a router goes the login to its relay, unless another router uses that.
func TestRemoveDropsLogins(t *testing.T) {
	s, dir, shared, own := storeOfThree(t)
	for _, step := range []struct {
		name        string
		shared, own bool
	}{{"home", true, true}, {"cabin", true, false}, {"boat", false, false}} {
		if err := s.Remove(step.name); err != nil {
			t.Fatal(err)
		}
		_, hasShared, _ := s.Login(shared)
		_, hasOwn, _ := s.Login(own)
		if hasShared != step.shared || hasOwn != step.own {
			t.Errorf("without %s: shared login %t, own login %t", step.name, hasShared, hasOwn)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, loginsFile)); err == nil {
		t.Error("the file is left over")
	}
	if _, err := os.Stat(filepath.Join(dir, keyFile)); err != nil {
		t.Errorf("the key is gone: %v", err)
	}
}
