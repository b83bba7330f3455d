package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/localsock"
	"github.com/lethe-relay/lethe/tunnel"
)

// TestPairNotRunning: 'pair' needs a running agent, and says so.
func TestPairNotRunning(t *testing.T) {
	h := newHome(t, t.TempDir(), "")
	h.stop()
	err := h.cfg.Pair(h.context(), false, func(PairingEvent) error { return nil })
	if want := "the agent is not running: start it with 'lethe-agent run --config " + h.cfg.path(configFile) + "'"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// waitForPairing runs 'pair --wait' and returns its URI, its further events, and its end.
func (h *home) waitForPairing(ctx context.Context) (uri auth.PairingURI, further <-chan PairingEvent, end <-chan error) {
	h.t.Helper()
	uris, events, ended := make(chan auth.PairingURI, 1), make(chan PairingEvent, 10), make(chan error, 1)
	go func() {
		ended <- h.cfg.Pair(ctx, true, func(e PairingEvent) error {
			if e.URI == "" {
				events <- e
				return nil
			}
			uri, err := auth.ParsePairingURI(e.URI)
			uris <- uri
			return err
		})
	}()
	select {
	case uri = <-uris:
	case err := <-ended:
		h.t.Fatal(err)
	}
	return uri, events, ended
}

func TestPairWait(t *testing.T) {
	h := newHome(t, t.TempDir(), "")
	uri, further, end := h.waitForPairing(h.context())
	if _, err := newStore(t).Pair(h.context(), uri, "", "a phone"); err != nil {
		t.Fatal(err)
	}
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	if e := <-further; !e.Paired || e.Device != "a phone" {
		t.Errorf("%+v", e)
	}
}

// TestPairWaitEnds: who waits for a pairing hears at once when there can be none any more.
func TestPairWaitEnds(t *testing.T) {
	h := newHome(t, t.TempDir(), "")
	uri, _, end := h.waitForPairing(h.context())
	newer, _, newerEnd := h.waitForPairing(h.context())
	if err := <-end; err == nil || !strings.Contains(err.Error(), "a newer pairing URI has taken the place") {
		t.Errorf("replaced: %v", err)
	}
	if _, err := newStore(t).Pair(h.context(), uri, "", ""); !errors.Is(err, &tunnel.RefusedError{Code: "pairing_refused"}) {
		t.Errorf("the older URI: %v", err)
	}
	for n := range byte(auth.MaxPairingGuesses - 1) {
		wrong := newer
		wrong.Secret[3] ^= n + 1
		if _, err := newStore(t).Pair(h.context(), wrong, "", ""); !errors.Is(err, &tunnel.RefusedError{Code: "pairing_refused"}) {
			t.Errorf("guess %d: %v", n, err)
		}
	}
	if err := <-newerEnd; err == nil || !strings.Contains(err.Error(), auth.ErrPairingClosed.Error()) {
		t.Errorf("after five wrong guesses: %v", err)
	}
	if _, err := newStore(t).Pair(h.context(), newer, "", ""); !errors.Is(err, &tunnel.RefusedError{Code: "pairing_closed"}) {
		t.Errorf("the right secret after that: %v", err)
	}
}

// TestPairWaitCancelled: the command ends with its context, or with the agent.
func TestPairWaitCancelled(t *testing.T) {
	h := newHome(t, t.TempDir(), "")
	ctx, cancel := context.WithCancel(context.Background())
	_, _, end := h.waitForPairing(ctx)
	cancel()
	if err := <-end; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	_, _, end = h.waitForPairing(h.context())
	h.stop()
	if err := <-end; err == nil || !strings.Contains(err.Error(), "the agent broke off") {
		t.Errorf("agent stopped: %v", err)
	}
}

// TestAdminUnknown: a command of another version gets a sentence, and garbage gets nothing.
func TestAdminUnknown(t *testing.T) {
	h := newHome(t, t.TempDir(), "")
	for request, want := range map[string]string{
		`{"do":"dance"}` + "\n": `this agent can't "dance"`,
		"garbage\n":             "",
	} {
		conn, err := localsock.Dial(h.context(), h.cfg.path(socketFile))
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, request)
		var event PairingEvent
		if err := json.NewDecoder(conn).Decode(&event); (err == nil) != (want != "") || !strings.Contains(event.Error, want) {
			t.Errorf("%q: %+v, %v", request, event, err)
		}
		conn.Close()
	}
}

// newPairing is a pairing that stores its devices in dir.
func newPairing(t *testing.T, dir string) *pairing {
	t.Helper()
	list, err := loadDevices(filepath.Join(dir, devicesFile))
	if err != nil {
		t.Fatal(err)
	}
	router := newIdentity(t)
	open, err := loadInvitations(filepath.Join(filepath.Dir(list.path), invitationsFile), router.RouterID())
	if err != nil {
		t.Fatal(err)
	}
	return &pairing{
		issuer: issuer{router: router}, name: "home", relay: auth.RelayURL{Host: "127.0.0.1:1", Token: auth.Token{1}},
		devices: list, invitations: open,
	}
}

// attempt is a right one.
func (p *pairing) attempt(o offer, device *auth.Identity) tunnel.PairAttempt {
	a := tunnel.PairAttempt{Device: device.PublicKey(), DeviceName: "a phone"}
	a.Proof = auth.PairingProof(o.uri.Secret, a.Exported.Binding, a.Device, p.router())
	return a
}

// TestPairingExpires: a URI is good for ten minutes.
func TestPairingExpires(t *testing.T) {
	p := newPairing(t, t.TempDir())
	if p.isOpen() {
		t.Error("open before there was a URI")
	}
	o, err := p.open(time.Now().Add(time.Second - auth.PairingLifetime))
	if err != nil || !p.isOpen() || !o.uri.Relay.Token.IsZero() {
		t.Errorf("%v, open %t, token %v", err, p.isOpen(), o.uri.Relay.Token)
	}
	if o, err = p.open(time.Now().Add(-auth.PairingLifetime)); err != nil || p.isOpen() {
		t.Errorf("%v, open %t", err, p.isOpen())
	}
	if _, _, err := p.pair(p.attempt(o, newIdentity(t))); !errors.Is(err, auth.ErrPairingExpired) {
		t.Errorf("got %v", err)
	}
}

// TestSerials: no two grants have one serial number, so a grant that was void stays void.
func TestSerials(t *testing.T) {
	dir := t.TempDir()
	p, phone := newPairing(t, dir), newIdentity(t)
	var serials []uint64
	for range 3 {
		o, err := p.open(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		raw, _, err := p.pair(p.attempt(o, phone))
		if err != nil {
			t.Fatal(err)
		}
		grant, err := auth.Verify(raw, p.router(), phone.PublicKey(), time.Now())
		if err != nil || !p.devices.admits(phone.DeviceID(), grant.Serial) {
			t.Fatalf("%v, admitted %t", err, p.devices.admits(phone.DeviceID(), grant.Serial))
		}
		for _, old := range serials {
			if old >= grant.Serial || p.devices.admits(phone.DeviceID(), old) {
				t.Errorf("serial %d after %d, which is admitted: %t", grant.Serial, old, p.devices.admits(phone.DeviceID(), old))
			}
		}
		serials = append(serials, grant.Serial)
		if had, err := p.devices.remove(phone.DeviceID()); !had || err != nil {
			t.Fatal(had, err)
		}
		p.devices, err = loadDevices(filepath.Join(dir, devicesFile)) // as after a restart
		if err != nil {
			t.Fatal(err)
		}
	}
	if had, err := p.devices.remove(phone.DeviceID()); had || err != nil {
		t.Errorf("removed again: %t, %v", had, err)
	}
}
