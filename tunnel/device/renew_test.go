package device

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/relaytest"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/tunnel"
)

func issue(t *testing.T, router, device *auth.Identity, serial uint64) []byte {
	t.Helper()
	return issueFor(t, router, device, serial, time.Hour)
}

func issueFor(t *testing.T, router, device *auth.Identity, serial uint64, lasts time.Duration) []byte {
	t.Helper()
	raw, err := auth.Issue(router, auth.Grant{
		Device: device.PublicKey(), Role: auth.RoleOwner, Services: []string{auth.AllServices},
		NotBefore: time.Now(), NotAfter: time.Now().Add(lasts), Serial: serial,
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// putFor stores a router whose key and relay are given, with its third grant.
func putFor(t *testing.T, s *Store, name string, router *auth.Identity, relay auth.RelayURL) *Router {
	t.Helper()
	r := &Router{Name: name, PairedAt: time.Now().UTC(), Router: tunnel.Router{
		Relay: relay, ID: router.RouterID(), Secret: [32]byte{7}, Grant: issue(t, router, s.Identity(), 3),
	}}
	if err := s.write(r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestKeep: a fresh grant takes the place of the old one only if it is this device's, from this router, and newer.
func TestKeep(t *testing.T) {
	router, stranger := newIdentity(t), newIdentity(t)
	s, dir := newStore(t)
	home := putFor(t, s, "home", router, auth.RelayURL{Host: "relay.example.org:443"})
	link := s.Link(home)
	defer link.Close()
	file := filepath.Join(dir, routersDir, "home-cert.pub")
	for name, test := range map[string]struct {
		raw   []byte
		taken bool
		want  string // in the error; empty: there is none
	}{
		"a newer one":            {issue(t, router, s.Identity(), 4), true, ""},
		"signed again":           {issueFor(t, router, s.Identity(), 3, 2*time.Hour), true, ""},
		"an older one":           {issue(t, router, s.Identity(), 2), false, ""},
		"for another device":     {issue(t, router, stranger, 4), false, "belongs to another device"},
		"from another router":    {issue(t, stranger, s.Identity(), 4), false, "signed by another router"},
		"noise":                  {[]byte("noise"), false, "malformed"},
		"nothing":                {nil, false, "malformed"},
		"cut":                    {issue(t, router, s.Identity(), 4)[:200], false, "malformed"},
		"with another signature": {flip(issue(t, router, s.Identity(), 4)), false, "signature"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := statefile.Write(file, auth.GrantFile(home.Grant)); err != nil {
				t.Fatal(err)
			}
			link.renewed(test.raw)
			err := link.Kept()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			stored, err := s.Router("home")
			if err != nil {
				t.Fatal(err)
			}
			if taken := bytes.Equal(stored.Grant, test.raw); taken != test.taken {
				t.Errorf("taken: %t", taken)
			}
			if !test.taken && !bytes.Equal(stored.Grant, home.Grant) {
				t.Error("the old one is gone")
			}
			if dialled := link.config().Router.Grant; !bytes.Equal(dialled, stored.Grant) {
				t.Error("another grant is dialled with than the one that is stored")
			}
		})
	}
}

func flip(raw []byte) []byte {
	raw[len(raw)-1] ^= 1
	return raw
}

// TestKeepNot: what can't be stored leaves the old grant in use, and is said.
func TestKeepNot(t *testing.T) {
	router := newIdentity(t)
	for name, spoil := range map[string]func(t *testing.T, s *Store, dir string) (mend func()){
		"folder in use": func(t *testing.T, s *Store, dir string) func() {
			unlock, err := statefile.Lock(dir)
			if err != nil {
				t.Fatal(err)
			}
			return unlock
		},
		"unpaired": func(t *testing.T, s *Store, dir string) func() {
			if err := s.Remove("home"); err != nil {
				t.Fatal(err)
			}
			return func() {}
		},
		"another router": func(t *testing.T, s *Store, dir string) func() {
			putFor(t, s, "home", newIdentity(t), auth.RelayURL{Host: "relay.example.org:443"})
			return func() {}
		},
	} {
		synctest.Test(t, func(t *testing.T) { // who waits for a folder in use takes no time
			s, dir := newStore(t)
			link := s.Link(putFor(t, s, "home", router, auth.RelayURL{Host: "relay.example.org:443"}))
			defer link.Close()
			defer spoil(t, s, dir)()
			before, _ := os.ReadFile(filepath.Join(dir, routersDir, "home-cert.pub"))
			link.renewed(issue(t, router, s.Identity(), 4))
			if link.Kept() == nil {
				t.Errorf("%s: nothing is said", name)
			}
			after, _ := os.ReadFile(filepath.Join(dir, routersDir, "home-cert.pub"))
			if !bytes.Equal(before, after) {
				t.Errorf("%s: the file has changed", name)
			}
		})
	}
}

// TestKeepWaits: a fresh grant waits two seconds for the folder, and not for a link that has been closed.
func TestKeepWaits(t *testing.T) {
	for _, test := range []struct {
		name               string
		busy, closed, wait time.Duration
		kept               bool
	}{
		{"free soon", time.Second - 1, time.Hour, time.Second, true},
		{"free too late", 3 * time.Second, time.Hour, lockPatience, false},
		{"closed meanwhile", 3 * time.Second, time.Second, time.Second, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, dir := newStore(t)
			router := newIdentity(t)
			link := s.Link(putFor(t, s, "home", router, auth.RelayURL{Host: "relay.example.org:443"}))
			defer link.Close()
			unlock, err := statefile.Lock(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer time.AfterFunc(test.closed, func() { link.Close() }).Stop()
			free := make(chan struct{})
			time.AfterFunc(test.busy, func() { unlock(); close(free) })
			began, fresh := time.Now(), issue(t, router, s.Identity(), 4)
			link.renewed(fresh)
			if waited := time.Since(began); waited != test.wait {
				t.Errorf("%s: it waited %v, want %v", test.name, waited, test.wait)
			}
			stored, err := s.Router("home")
			if err != nil {
				t.Fatal(err)
			}
			if kept := bytes.Equal(stored.Grant, fresh); kept != test.kept || (link.Kept() == nil) != test.kept {
				t.Errorf("%s: kept: %t, %v", test.name, kept, link.Kept())
			}
			<-free
		})
	}
}

// judgingRouter is a router that answers the first tunnel with a fresh grant, and tells which grants it is shown.
func judgingRouter(t *testing.T, router *auth.Identity, relay auth.RelayURL, fresh func() []byte) (shown chan tunnel.Case) {
	t.Helper()
	shown = make(chan tunnel.Case, 8)
	l, err := tunnel.Listen(t.Context(), tunnel.ListenConfig{Identity: router, Relay: relay, Judging: &tunnel.Judging{
		Judge: func(c tunnel.Case) tunnel.Ruling {
			shown <- c
			return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow, Score: 40}, Needed: 20, Grant: fresh()}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			s, err := l.Accept()
			if err != nil {
				return
			}
			s.Close()
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	return shown
}

// here is an Environment that always says the same.
type here ecv.Evidence

func (h here) Evidence(context.Context) (ecv.Evidence, error) { return ecv.Evidence(h), nil }

// TestIntroduce: the first session shows the evidence and brings a grant, and the next one, of the same Link, uses it.
func TestIntroduce(t *testing.T) {
	s, _ := newStore(t)
	router, relay := newIdentity(t), relaytest.Start(t, nil)
	home := putFor(t, s, "home", router, relay)
	s.Environment = here{WiFi: &ecv.Network{SSID: "home net", Seen: time.Now()}}
	shown := judgingRouter(t, router, relay, func() []byte { return issue(t, router, s.Identity(), 4) })
	link := s.Link(home) // before the grant changes
	defer link.Close()

	verdict, err := s.Introduce(t.Context(), home)
	if err != nil || verdict.Verdict != ecv.Allow || verdict.Score != 40 {
		t.Fatalf("%+v, %v", verdict, err)
	}
	first := <-shown
	if first.Evidence.WiFi == nil || first.Evidence.WiFi.SSID != "home net" || first.Device.Grant.Serial != 3 {
		t.Errorf("the first session showed the network %t, with grant %d", first.Evidence.WiFi != nil, first.Device.Grant.Serial)
	}
	if _, err := link.Tunnel(t.Context()); err != nil {
		t.Fatal(err)
	}
	if second := <-shown; second.Device.Grant.Serial != 4 {
		t.Errorf("the second session showed grant %d", second.Device.Grant.Serial)
	}
}

// TestIntroduceFails: an unreachable relay is an error, and the pairing stays.
func TestIntroduceFails(t *testing.T) {
	s, _ := newStore(t)
	home := putFor(t, s, "home", newIdentity(t), auth.RelayURL{Host: "127.0.0.1:1", Pin: auth.RelayPin{1}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Introduce(ctx, home); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Router("home"); err != nil {
		t.Error(err)
	}
}
