package device

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
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
	if err := s.KeepLogin(one, testLogin(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, found, err := s.Login(one); found || err != nil {
		t.Errorf("an expired one is found: %t, %v", found, err)
	}
	if err := s.KeepLogin(other, want); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, loginsFile)); strings.Contains(string(text), one.Host) {
		t.Error("the expired one is still in the file")
	}
	if err := s.DropLogin(other); err != nil {
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
