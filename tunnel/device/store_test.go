package device

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newIdentity(t *testing.T) *auth.Identity {
	t.Helper()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func newStore(t *testing.T) (store *Store, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "device")
	store, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil || store.Identity() != nil {
		t.Fatal("looking made a folder, or a key")
	}
	if err := errors.Join(statefile.MkdirPrivate(filepath.Join(dir, routersDir)), store.needKey()); err != nil {
		t.Fatal(err)
	}
	return store, dir
}

// put stores a router of this name, as Pair does at its end.
func put(t *testing.T, s *Store, name string) *Router {
	t.Helper()
	id := newIdentity(t)
	grant, err := auth.Issue(id, auth.Grant{
		Device: s.Identity().PublicKey(), Role: auth.RoleOwner, Services: []string{auth.AllServices},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), Serial: 1,
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := &Router{
		Name: name, PairedAt: time.Now().UTC().Truncate(time.Second),
		Router: tunnel.Router{
			Relay: auth.RelayURL{Host: "relay.example.org:443", Pin: auth.RelayPin{3}},
			ID:    id.RouterID(), Grant: grant, Secret: [32]byte{1, 2},
		},
	}
	if err := s.write(r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestStore: what was stored comes back, in this process and the next.
func TestStore(t *testing.T) {
	s, dir := newStore(t)
	want := []*Router{put(t, s, "cabin"), put(t, s, "home")}
	again, err := Open(dir)
	if err != nil || again.Identity().DeviceID() != s.Identity().DeviceID() {
		t.Fatalf("%v, another key: %t", err, again.Identity().DeviceID() != s.Identity().DeviceID())
	}
	got, err := again.Routers()
	if err != nil || len(got) != 2 {
		t.Fatalf("%d routers, %v", len(got), err)
	}
	for i, r := range got {
		w := want[i]
		if r.Name != w.Name || r.ID != w.ID || r.Relay != w.Relay || r.Secret != w.Secret || !r.PairedAt.Equal(w.PairedAt) || !slices.Equal(r.Grant, w.Grant) {
			t.Errorf("got %+v, want %+v", r, w)
		}
	}
	for _, name := range []string{keyFile, "routers/home.json", "routers/home-cert.pub"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDamaged: a file that can't be used gives one sentence that says which, why, and how to mend it.
func TestDamaged(t *testing.T) {
	const (
		key    = "device.key"
		doc    = "routers/home.json"
		grant  = "routers/home-cert.pub"
		mend   = "; restore it from a backup, or 'lethe unpair --local home' and pair again"
		secret = `"pairing_secret": "AQIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="`
	)
	replace := func(old, new string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, old) {
				t.Errorf("there is no %s in %s", old, s)
			}
			return strings.Replace(s, old, new, 1)
		}
	}
	all := func(text string) func(string) string { return func(string) string { return text } }
	for name, test := range map[string]struct {
		file   string
		change func(string) string
		want   string
	}{
		"empty key":       {key, all(""), "DIR/device.key: the identity file can't be used: it is empty; restore it from a backup; if there is no backup, remove the folder DIR and pair again"},
		"cut key":         {key, func(s string) string { return s[:50] }, "DIR/device.key: the identity file can't be used: it holds no complete PEM block; "},
		"empty document":  {doc, all(""), "DIR/routers/home.json can't be used: EOF" + mend},
		"cut document":    {doc, func(s string) string { return s[:40] }, "DIR/routers/home.json can't be used: unexpected EOF" + mend},
		"unknown member":  {doc, replace("{", `{"more": 1,`), `DIR/routers/home.json can't be used: json: unknown field "more"` + mend},
		"bad relay":       {doc, replace("lethe://", "http://"), "DIR/routers/home.json can't be used: not a relay URL"},
		"bad router":      {doc, replace(`"router": "`, `"router": "x`), "DIR/routers/home.json can't be used: "},
		"short secret":    {doc, replace(secret, `"pairing_secret": "AQI="`), "DIR/routers/home.json can't be used: the pairing secret has not 32 bytes" + mend},
		"empty grant":     {grant, all(""), "DIR/routers/home-cert.pub can't be used: "},
		"grant is no key": {grant, all("ssh-rsa AAAA\n"), "DIR/routers/home-cert.pub can't be used: the grant is malformed"},
		"no grant":        {grant, nil, "DIR/routers/home-cert.pub can't be used: can't read DIR/routers/home-cert.pub: no such file or directory" + mend},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t)
			put(t, s, "home")
			path := filepath.Join(dir, test.file)
			if test.change == nil {
				os.Remove(path)
			} else {
				text, _ := os.ReadFile(path)
				os.WriteFile(path, []byte(test.change(string(text))), 0o600)
			}
			_, err := Open(dir)
			if test.file != key {
				_, err = s.Router("home")
			}
			want := strings.ReplaceAll(test.want, "DIR", dir)
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if test.file == key {
				return
			}
			if err := s.Remove("home"); err != nil { // as the sentence says
				t.Errorf("Remove: %v", err)
			}
			if left, _ := os.ReadDir(filepath.Join(dir, routersDir)); len(left) != 0 {
				t.Errorf("left over: %v", left)
			}
		})
	}
}

func TestUnknownRouter(t *testing.T) {
	s, _ := newStore(t)
	_, err := s.Router("home")
	if want := `no router of this name is paired: "home"; no router is paired yet, 'lethe pair URI' pairs one`; !errors.Is(err, ErrUnknownRouter) || err.Error() != want {
		t.Errorf("got %v", err)
	}
	put(t, s, "home")
	put(t, s, "cabin")
	for _, name := range []string{"", "hom", "../home", "HOME", "home.json"} {
		_, err := s.Router(name)
		if !errors.Is(err, ErrUnknownRouter) || !strings.HasSuffix(err.Error(), "paired are: cabin, home") {
			t.Errorf("Router(%q): %v", name, err)
		}
		if err := s.Remove(name); !errors.Is(err, ErrUnknownRouter) {
			t.Errorf("Remove(%q): %v", name, err)
		}
	}
}

// TestNames: a router's own name becomes one that fits a file and a command line, and that no other router has.
func TestNames(t *testing.T) {
	s, _ := newStore(t)
	home := put(t, s, "home")
	stranger := newIdentity(t).RouterID()
	for wanted, want := range map[string]string{
		"Home": "home-2", "My Home!": "my-home", "": "router", "日本": "router", "--x--": "x", "../../etc": "etc",
		strings.Repeat("long name ", 9): "long-name-long-name-long",
	} {
		if got := s.freeName(wanted); got != want || !ValidName(got) {
			t.Errorf("%q becomes %q, want %q", wanted, got, want)
		}
	}
	if got, err := s.nameOf(home.ID); got != "home" || err != nil {
		t.Errorf("the same router again is %q, %v", got, err)
	}
	for name, want := range map[string]string{
		"home": `another router is named "home" already: choose another --name, or 'lethe unpair home' first`,
		"a/b":  `"a/b" can't be a router's name: take 1 to 32 of a-z, 0-9 and -`,
	} {
		if err := s.checkNew(name, "", stranger); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "cabin"} {
		if err := s.checkNew(name, "", stranger); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestNamesStay: a router that is paired again is not renamed on the way.
func TestNamesStay(t *testing.T) {
	s, _ := newStore(t)
	home := put(t, s, "home")
	const want = `this router is paired already, as "home": leave --name out to pair it again, or 'lethe unpair home' first to give it another name`
	_, err := s.Pair(t.Context(), auth.PairingURI{Relay: auth.RelayURL{Host: "127.0.0.1:1"}, Router: home.ID}, "house", "")
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	for _, name := range []string{"", "home"} {
		if err := s.checkNew(name, "home", home.ID); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestPairRefusesFirst: what would spoil a pairing at its end is found before the router is asked.
func TestPairRefusesFirst(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "home")
	uri := auth.PairingURI{Relay: auth.RelayURL{Host: "127.0.0.1:1"}, Router: newIdentity(t).RouterID()}
	if _, err := s.Pair(t.Context(), uri, "home", ""); err == nil || !strings.Contains(err.Error(), "another router is named") {
		t.Errorf("a name that is taken: %v", err)
	}
	unlock, err := statefile.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := s.Pair(t.Context(), uri, "", ""); !errors.Is(err, statefile.ErrLocked) {
		t.Errorf("a folder in use: %v", err)
	}
	if err := s.Remove("home"); !errors.Is(err, statefile.ErrLocked) {
		t.Errorf("Remove: %v", err)
	}
}
