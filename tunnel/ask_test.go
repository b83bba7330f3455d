package tunnel_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

func (w *world) relayConfig() tunnel.RelayConfig {
	return tunnel.RelayConfig{Identity: w.device, Relay: w.dialConfig().Router.Relay}
}

// TestAskIssuer: where a device's person logs in.
func TestAskIssuer(t *testing.T) {
	w := newWorld(t)
	_, err := tunnel.AskIssuer(w.context(), w.relayConfig())
	wantRefusal(t, err, "relay", "no_accounts")

	e := newEvilRelay(t)
	e.answerWith(&wire.Issuer{URL: "https://id.example.org", ClientID: "lethe"})
	issuer, err := tunnel.AskIssuer(w.context(), tunnel.RelayConfig{Identity: w.device, Relay: e.url})
	if want := (tunnel.Issuer{URL: "https://id.example.org", ClientID: "lethe"}); err != nil || issuer != want {
		t.Errorf("%+v, %v", issuer, err)
	}
}

// TestInspect: a real relay tells what it holds, and erases it.
func TestInspect(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	tun := w.dial()
	w.wantEcho(tun, "hello")
	held, err := tunnel.Inspect(w.context(), w.relayConfig(), w.router.RouterID(), false)
	if err != nil || held.Sessions != 1 || held.Bytes == 0 || held.Connections == 0 || held.Receipt != nil {
		t.Fatalf("%+v, %v", held, err)
	}
	other := tunnel.RelayConfig{Identity: newIdentity(t), Relay: w.relayConfig().Relay}
	if held, err := tunnel.Inspect(w.context(), other, w.router.RouterID(), true); err != nil || held.Sessions != 0 {
		t.Errorf("another device: %+v, %v", held, err)
	}
	w.wantEcho(tun, "it erases nothing of ours")

	held, err = tunnel.Inspect(w.context(), w.relayConfig(), w.router.RouterID(), true)
	if err != nil || held.Sessions != 1 || held.Receipt == nil {
		t.Fatalf("%+v, %v", held, err)
	}
	if err := held.Receipt.Verify(held.Receipt.Key); err != nil || held.Receipt.Device != w.device.DeviceID() || held.Receipt.Router != w.router.RouterID() {
		t.Errorf("%+v, %v", held.Receipt, err)
	}
	if held, err = tunnel.Inspect(w.context(), w.relayConfig(), w.router.RouterID(), false); err != nil || held.Sessions != 0 {
		t.Errorf("afterwards: %+v, %v", held, err)
	}
}

// TestAskEvilRelay: answers that a relay should not give.
func TestAskEvilRelay(t *testing.T) {
	w := &world{t: t, router: newIdentity(t), device: newIdentity(t)}
	relay := newIdentity(t)
	receipt, err := auth.SignReceipt(relay, auth.Receipt{Party: "relay", Device: w.device.DeviceID(), Router: w.router.RouterID(), At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	good, err := json.Marshal(receipt)
	if err != nil {
		t.Fatal(err)
	}
	e := newEvilRelay(t)
	cfg := tunnel.RelayConfig{Identity: w.device, Relay: e.url}
	for name, test := range map[string]struct {
		answer wire.Message
		want   string // in the error; empty: there is none
	}{
		"right":             {&wire.Held{Sessions: 1, Receipt: good}, ""},
		"not a receipt":     {&wire.Held{Receipt: []byte("{")}, "receipt"},
		"half a receipt":    {&wire.Held{Receipt: good[:len(good)/2]}, "receipt"},
		"refused":           {&wire.Error{Code: wire.CodeRateLimited, RetryAfter: time.Minute}, "rate_limited"},
		"something else":    {&wire.Accept{}, "can't reach the relay"},
		"an unknown reason": {&wire.Error{Code: "nonsense"}, "nonsense"},
	} {
		e.answerWith(test.answer)
		held, err := tunnel.Inspect(w.context(), cfg, w.router.RouterID(), true)
		switch {
		case test.want == "" && (err != nil || held.Sessions != 1 || held.Receipt.Verify(relay.PublicKey()) != nil):
			t.Errorf("%s: %+v, %v", name, held, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %q", name, err, test.want)
		case test.want != "" && held != (tunnel.Held{}):
			t.Errorf("%s: %+v", name, held)
		}
	}
	if m, ok := e.answerWith(nil).(*wire.Inspect); !ok || m.Router != w.router.RouterID() || !m.Erase {
		t.Errorf("the relay was asked %+v", m)
	}
	cfg.Relay.Host = "127.0.0.1:http"
	var unreachable *tunnel.UnreachableError
	if _, err := tunnel.AskIssuer(w.context(), cfg); !errors.As(err, &unreachable) {
		t.Errorf("no relay: %v", err)
	}
}
