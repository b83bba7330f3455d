package part

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/flows"
)

// newVillage has a relay until the test's end, and pairs that it does not know yet.
func newVillage(t *testing.T, pairs, sessions int) CrowdConfig {
	t.Helper()
	relay := &relayOf{cancel: func() {}, ended: make(chan error, 1)}
	t.Cleanup(func() { relay.cancel(); relay.running.Wait() })
	ready, err := relay.open(t.Context(), RelayConfig{Dir: filepath.Join(t.TempDir(), "relay")})
	if err != nil {
		t.Fatal(err)
	}
	c := CrowdConfig{Relay: ready.(RelayReady).URL, Sessions: sessions}
	for range pairs {
		host, device := newIdentity(t), newIdentity(t)
		grant, err := auth.Issue(host, auth.Grant{
			Device: device.PublicKey(), Role: auth.RoleGuest, Services: []string{"ssh"},
			NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
		}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c.Pairs = append(c.Pairs, Pair{Router: pemOf(t, host), Device: pemOf(t, device), Grant: grant})
	}
	return c
}

// TestSwarm: each session gets its share, and a Flow takes the place of another.
func TestSwarm(t *testing.T) {
	s := &swarm{}
	_, err := s.open(t.Context(), newVillage(t, 2, 2*bindBurst+1))
	if s.crowd != nil {
		t.Cleanup(func() { s.end(); s.crowd.close() })
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []SwarmFlow{{}, {PerSecond: 20_000}, {Greedy: true}} {
		if _, err := s.flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		var c flows.Count
		for end := time.Now().Add(10 * time.Second); c.Least < 3; {
			told, err := s.progress(t.Context(), struct{}{})
			if err != nil || time.Now().After(end) {
				t.Fatalf("%+v: %+v, %v", f, told, err)
			}
			c = told.(flows.Count)
		}
	}
}

// TestProber: datagrams come through the relay and without it.
func TestProber(t *testing.T) {
	p := &prober{}
	_, err := p.open(t.Context(), newVillage(t, 1, 3))
	if p.crowd != nil {
		t.Cleanup(p.crowd.close)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.flow(t.Context(), struct{}{}); err != nil {
		t.Fatal(err)
	}
	defer p.probe.Close()
	through, direct := 0, 0
	for end := time.Now().Add(10 * time.Second); through < 20 || direct < 20; {
		told, err := p.progress(t.Context(), struct{}{})
		if err != nil || time.Now().After(end) {
			t.Fatalf("%d through the relay, %d without: %v", through, direct, err)
		}
		through, direct = through+len(told.(Probed).Through), direct+len(told.(Probed).Direct)
	}
}
