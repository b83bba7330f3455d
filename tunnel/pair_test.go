package tunnel_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// pairingBench is a router that shows one pairing URI, at a time that only the test moves.
type pairingBench struct {
	*world
	uri    auth.PairingURI
	window *auth.PairingWindow
	later  atomic.Int64 // nanoseconds by which the router's clock is ahead

	mu          sync.Mutex
	secrets     map[auth.DeviceID][32]byte // pairing secrets, as the router knows them
	names       []string
	invitations [][8]byte
}

func newPairingBench(t *testing.T) *pairingBench {
	t.Helper()
	w := newWorld(t)
	secret, err := auth.NewOneTimeSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	url := w.url
	url.Token = auth.Token{}
	b := &pairingBench{
		world: w, secrets: make(map[auth.DeviceID][32]byte),
		uri:    auth.PairingURI{Relay: url, Router: w.router.RouterID(), Secret: secret},
		window: auth.NewPairingWindow(w.router.RouterID(), secret, time.Now()),
	}
	w.listen(tunnel.ListenConfig{Pairing: &tunnel.Pairing{
		Open: func() bool { return b.window.State(b.now()) == nil },
		Pair: b.pair,
	}}, handlers{"echo": echo})
	return b
}

func (b *pairingBench) now() time.Time { return time.Now().Add(time.Duration(b.later.Load())) }

func (b *pairingBench) pair(a tunnel.PairAttempt) (grant []byte, name string, err error) {
	if err := b.window.Check(a.Proof[:], a.Exported.Binding, a.Device, b.now()); err != nil {
		return nil, "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.secrets[auth.DeviceIDOf(a.Device)] = auth.PairingSecret(b.uri.Secret, a.Exported.Secret)
	b.names = append(b.names, a.DeviceName)
	b.invitations = append(b.invitations, a.Invitation)
	return b.grant(a.Device, time.Hour, auth.AllServices), "a router", nil
}

func (b *pairingBench) attempt(id *auth.Identity, change func(*auth.PairingURI)) (*tunnel.Paired, error) {
	uri := b.uri
	if change != nil {
		change(&uri)
	}
	return tunnel.Pair(b.context(), tunnel.PairConfig{Identity: id, URI: uri, Name: "a phone"})
}

func guess(n byte) func(*auth.PairingURI) {
	return func(u *auth.PairingURI) { u.Secret[0] ^= n + 1 }
}

// TestPair: both ends have the same secret afterwards, and the grant is good.
func TestPair(t *testing.T) {
	b := newPairingBench(t)
	paired, err := b.attempt(b.device, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := b.secrets[b.device.DeviceID()]; got != paired.Secret || got == [32]byte{} {
		t.Error("the ends have different secrets")
	}
	if paired.RouterName != "a router" || len(b.names) != 1 || b.names[0] != "a phone" {
		t.Errorf("names %q and %q", paired.RouterName, b.names)
	}
	if len(b.invitations) != 1 || b.invitations[0] != b.uri.Secret.ID() {
		t.Errorf("the invitation was %x, want %x", b.invitations, b.uri.Secret.ID())
	}
	tun := b.dialWith(tunnel.DialConfig{Identity: b.device, Router: paired.Router})
	b.wantEcho(tun, "paired")

	_, err = b.attempt(newIdentity(t), nil)
	wantRefusal(t, err, "relay", "pairing_closed") // a URI works once
}

// TestPairGuesses: four wrong secrets leave the window open, the fifth closes it for everybody.
func TestPairGuesses(t *testing.T) {
	for wrong, want := range map[byte]string{auth.MaxPairingGuesses - 1: "", auth.MaxPairingGuesses: "pairing_closed"} {
		b := newPairingBench(t)
		for n := range wrong {
			_, err := b.attempt(newIdentity(t), guess(n))
			wantRefusal(t, err, "router", "pairing_refused")
		}
		_, err := b.attempt(b.device, nil)
		if want == "" && err != nil {
			t.Errorf("the right secret after %d wrong ones: %v", wrong, err)
		}
		if want != "" {
			wantRefusal(t, err, "relay", want)
		}
	}
}

func TestPairExpired(t *testing.T) {
	b := newPairingBench(t)
	b.later.Store(int64(auth.PairingLifetime))
	_, err := b.attempt(b.device, nil)
	wantRefusal(t, err, "relay", "pairing_closed")
}

// TestPairRace: of two devices with one URI, one pairs.
func TestPairRace(t *testing.T) {
	b := newPairingBench(t)
	var won, lost atomic.Int32
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			_, err := b.attempt(newIdentity(t), nil)
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, &tunnel.RefusedError{Code: "pairing_closed"}):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	both.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if won.Load() != 1 || lost.Load() != 1 || len(b.secrets) != 1 {
		t.Errorf("%d won, %d lost, %d are on the list", won.Load(), lost.Load(), len(b.secrets))
	}
}

// TestPairClosed: a router that takes no pairings, or that can't store the device.
func TestPairClosed(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, nil)
	cfg := tunnel.PairConfig{Identity: w.device, URI: auth.PairingURI{Relay: w.url, Router: w.router.RouterID(), Secret: auth.OneTimeSecret{1}}}
	_, err := tunnel.Pair(w.context(), cfg)
	wantRefusal(t, err, "relay", "pairing_closed")

	other := newWorld(t)
	other.listen(tunnel.ListenConfig{Pairing: &tunnel.Pairing{
		Open: func() bool { return true },
		Pair: func(tunnel.PairAttempt) ([]byte, string, error) { return nil, "", errors.New("the disk is full") },
	}}, nil)
	cfg.URI.Relay, cfg.URI.Router = other.url, other.router.RouterID()
	_, err = tunnel.Pair(w.context(), cfg)
	wantRefusal(t, err, "router", "internal")
}

// TestPairOnly: a pairing session reaches nothing but pairing.
func TestPairOnly(t *testing.T) {
	b := newPairingBench(t)
	tun, err := tunnel.DialPairing(b.context(), tunnel.PairConfig{Identity: b.device, URI: b.uri})
	if err != nil {
		t.Fatal(err)
	}
	defer tun.Close()
	s := b.open(tun, "echo")
	s.SetReadDeadline(time.Now().Add(patience))
	if n, err := s.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes of a service", n)
	}
	<-tun.Done()
	if err := b.window.State(time.Now()); err != nil {
		t.Errorf("the window: %v", err)
	}
}

// TestPairMitm: a relay that answers in the router's place has not the key that the URI pins.
func TestPairMitm(t *testing.T) {
	e := newEvilRelay(t)
	uri := auth.PairingURI{Relay: e.url, Router: newIdentity(t).RouterID(), Secret: auth.OneTimeSecret{1}}
	conf := identityTLS(t, newIdentity(t), wire.ALPNTunnel)
	w := &world{t: t}
	e.onOpen(func(ed25519.PublicKey, *wire.Open) wire.Message {
		s := e.newSession()
		listener, err := e.end(w.context(), s.Router).Listen(conf, nil)
		if err != nil {
			t.Error(err)
		}
		t.Cleanup(func() { listener.Close() })
		return opened(s.Device)
	})
	_, err := tunnel.Pair(w.context(), tunnel.PairConfig{Identity: newIdentity(t), URI: uri})
	wantRouterMismatch(t, err)
}
