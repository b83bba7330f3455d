package tunnel_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang/geo/s2"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// TestEvidenceInClear: the router's judge gets what the device sees as it is, and of what the relay sees the names.
func TestEvidenceInClear(t *testing.T) {
	w, c := newWorld(t), newCourt(always(ecv.Allow))
	w.listen(tunnel.ListenConfig{Judging: c.judging()}, handlers{"echo": echo})
	home := atHome(t)
	w.wantEcho(w.dialWith(w.dialFrom(&surroundings{here: home})), "hello")
	on, key := c.next(t), ecv.ObservationKey(pairingSecret())
	if !sameEvidence(on.Evidence, home) || on.Device.ID() != w.device.DeviceID() || on.Device.Grant.Serial != 1 {
		t.Errorf("the judge got %+v", on)
	}
	want := tunnel.Vouched{
		Account: key.TagID(ecv.Account, ecv.DeviceAccount(w.device.PublicKey())),
		Net:     key.TagID(ecv.Net, ecv.NetValue(loopback4.Addr())),
	}
	if on.Vouched != want {
		t.Errorf("the relay vouches for %v, want %v", on.Vouched, want)
	}
}

// TestEvidenceIsBlinded: what the relay gets are proofs that are good for this connection and router, and nothing of
// what they prove.
func TestEvidenceIsBlinded(t *testing.T) {
	e, c := newEvilRelay(t), newCourt(always(ecv.Allow))
	w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
	w.listen(tunnel.ListenConfig{Judging: c.judging()}, nil)
	sessions, home := e.carry(w, wire.Vouched{}), atHome(t)
	w.dialWith(w.dialFrom(&surroundings{here: home}))
	m := (<-sessions).open
	here := ecv.Context{Binding: e.binding(w.device.PublicKey()), Router: w.router.RouterID()}
	if here.Binding == [32]byte{} {
		t.Fatal("the connection has no binding")
	}
	elsewhere, other := here, here
	elsewhere.Binding[0] ^= 1
	other.Router[0] ^= 1
	accepted := learnedHome(t, w.device.PublicKey())
	for _, proof := range []struct {
		feature ecv.Feature
		raw     []byte
	}{{ecv.WiFi, m.WiFi}, {ecv.Geo, m.Geo}} {
		for context, want := range map[ecv.Context]ecv.State{here: ecv.Matched, elsewhere: ecv.Invalid, other: ecv.Invalid} {
			if got := ecv.CheckProof(proof.feature, proof.raw, context, accepted, time.Hour, time.Now()); got != want {
				t.Errorf("the proof of %v is %v, want %v", proof.feature, got, want)
			}
		}
	}
	if m.ObservationKey != ecv.ObservationKey(pairingSecret()) {
		t.Error("the relay has another observation key")
	}
	var sent bytes.Buffer
	if err := wire.WriteMessage(&sent, m); err != nil {
		t.Fatal(err)
	}
	secret := pairingSecret()
	for name, never := range map[string][]byte{
		"network":    []byte(home.WiFi.SSID),
		"address":    home.WiFi.BSSID[:],
		"place":      binary.BigEndian.AppendUint64(nil, home.Place.Cell),
		"large cell": binary.BigEndian.AppendUint64(nil, uint64(s2.CellID(home.Place.Cell).Parent(ecv.GeoLevel))),
		"secret":     secret[:],
	} {
		if bytes.Contains(sent.Bytes(), never) {
			t.Errorf("the relay gets the %s", name)
		}
	}
	if !sameEvidence(c.next(t).Evidence, home) {
		t.Error("the router did not get it")
	}
}

// TestNoSecretShowsNothing: without a pairing secret nothing can be blinded, so nobody is asked for anything.
func TestNoSecretShowsNothing(t *testing.T) {
	e, c := newEvilRelay(t), newCourt(always(ecv.Allow))
	w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
	w.listen(tunnel.ListenConfig{Judging: c.judging()}, nil)
	sessions, env := e.carry(w, wire.Vouched{}), &surroundings{here: atHome(t)}
	cfg := w.dialFrom(env)
	cfg.Router.Secret = [32]byte{}
	tun := w.dialWith(cfg)
	if m := (<-sessions).open; m.WiFi != nil || m.Geo != nil || m.ObservationKey != [32]byte{} {
		t.Error("the relay got something")
	}
	if err := tun.ShowEvidence(w.context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if on := c.next(t); !isEmpty(on.Evidence) {
			t.Errorf("the router got %+v", on.Evidence)
		}
	}
	if n := env.times(); n != 0 {
		t.Errorf("the environment was asked %d times", n)
	}
}

// TestAccount: the relay gets the ID token as it is.
func TestAccount(t *testing.T) {
	e := newEvilRelay(t)
	w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
	w.listen(tunnel.ListenConfig{}, nil)
	sessions, cfg := e.carry(w, wire.Vouched{}), w.dialConfig()
	cfg.IDToken = "head.body.signature"
	w.dialWith(cfg)
	if got := (<-sessions).open.IDToken; got != cfg.IDToken {
		t.Errorf("the relay got %q", got)
	}
}

// askedFor is an Environment that is one function.
type askedFor func(context.Context) (ecv.Evidence, error)

func (f askedFor) Evidence(ctx context.Context) (ecv.Evidence, error) { return f(ctx) }

// TestEnvironmentFails: what an environment can't say, says wrongly or says too late is not known. It keeps nobody
// out of the router's reach, nor waiting.
func TestEnvironmentFails(t *testing.T) {
	t.Parallel() // it mostly waits
	w, c := newWorld(t), newCourt(always(ecv.Allow))
	w.listen(tunnel.ListenConfig{Judging: c.judging()}, handlers{"echo": echo})
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	says := func(change func(*ecv.Evidence)) askedFor {
		e := atHome(t)
		change(&e)
		return func(context.Context) (ecv.Evidence, error) { return e, nil }
	}
	for name, env := range map[string]askedFor{
		"an error": func(context.Context) (ecv.Evidence, error) { return atHome(t), errors.New("location is off") },
		"late": func(ctx context.Context) (ecv.Evidence, error) {
			<-ctx.Done()
			return ecv.Evidence{}, ctx.Err()
		},
		"never": func(context.Context) (ecv.Evidence, error) {
			<-over
			return ecv.Evidence{}, nil
		},
		"no name":    says(func(e *ecv.Evidence) { e.WiFi.SSID, e.Place = "", nil }),
		"long name":  says(func(e *ecv.Evidence) { e.WiFi.SSID, e.Place = strings.Repeat("a", 33), nil }),
		"no cell":    says(func(e *ecv.Evidence) { e.WiFi, e.Place.Cell = nil, 5 }),
		"never seen": says(func(e *ecv.Evidence) { e.WiFi.Seen, e.Place.Seen = time.Time{}, time.Unix(-5, 0) }),
		"far ahead":  says(func(e *ecv.Evidence) { e.WiFi.Seen, e.Place.Seen = time.Unix(math.MaxUint32+1, 0), time.Unix(1<<50, 0) }),
	} {
		began := time.Now()
		tun := w.dialWith(w.dialFrom(env))
		if took := time.Since(began); took > 2*time.Second+promptly {
			t.Errorf("%s: it took %v", name, took)
		}
		w.wantEcho(tun, "hello")
		if on := c.next(t); !isEmpty(on.Evidence) {
			t.Errorf("%s: the judge got %+v", name, on.Evidence)
		}
	}
}

// TestEvidenceInPart: what is well formed counts, whatever is wrong with the rest.
func TestEvidenceInPart(t *testing.T) {
	w, c := newWorld(t), newCourt(always(ecv.Allow))
	w.listen(tunnel.ListenConfig{Judging: c.judging()}, nil)
	e := atHome(t)
	e.Place.Cell = 5
	w.dialWith(w.dialFrom(&surroundings{here: e}))
	if got := c.next(t).Evidence; got.WiFi == nil || *got.WiFi != *e.WiFi || got.Place != nil {
		t.Errorf("the judge got %+v", got)
	}
}

// TestDialEndsItsQuestion: an environment is not kept busy for a tunnel that will not be.
func TestDialEndsItsQuestion(t *testing.T) {
	w := newWorld(t)
	ended := make(chan struct{})
	cfg := w.dialFrom(askedFor(func(ctx context.Context) (ecv.Evidence, error) {
		<-ctx.Done()
		if deadline, _ := ctx.Deadline(); time.Now().Before(deadline) {
			close(ended)
		}
		return ecv.Evidence{}, ctx.Err()
	}))
	cfg.Router.Relay.Host = "127.0.0.1:http"
	if _, err := tunnel.Dial(w.context(), cfg); err == nil {
		t.Fatal("a tunnel")
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the environment was left alone")
	}
}

// lost is an Environment that answers once, and then not until the test's end.
type lost struct {
	asked atomic.Int32
	end   chan struct{}
}

func (l *lost) Evidence(context.Context) (ecv.Evidence, error) {
	if l.asked.Add(1) > 1 {
		<-l.end
	}
	return ecv.Evidence{}, nil
}

// TestShowEvidenceEnds: whoever wants evidence shown does not wait for longer than the context says, whatever the
// environment does.
func TestShowEvidenceEnds(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	env := &lost{end: make(chan struct{})}
	defer close(env.end)
	tun := w.dialWith(w.dialFrom(env))
	ctx, cancel := context.WithCancel(w.context())
	cancel()
	for range 2 {
		if err := tun.ShowEvidence(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}
