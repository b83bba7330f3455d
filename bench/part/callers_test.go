package part

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// newEchoHouse has a relay and a router that sends back what comes until the
// test's end, and a device.
func newEchoHouse(t *testing.T, secret [32]byte) DeviceConfig {
	t.Helper()
	host, url := newIdentity(t), newTestRelay(t)
	e := &echo{}
	t.Cleanup(e.close)
	if _, err := e.open(t.Context(), RouterConfig{Relay: url, Identity: pemOf(t, host)}); err != nil {
		t.Fatal(err)
	}
	return newGuest(t, url, host, secret, strict())
}

// strict is everything, and nobody is let in to confirm what is missing.
func strict() *ecv.Policy {
	p := everything()
	p.StepUp = p.Allow
	return p
}

// TestCallOnce: an open counts only if what came of it is what should have, and
// the relay holds a device's evidence against its grant.
func TestCallOnce(t *testing.T) {
	paired, guessed := [32]byte{1}, [32]byte{2}
	device := newEchoHouse(t, paired)
	for name, c := range map[string]struct {
		shown   [32]byte
		refused string
		counts  bool
	}{
		"let in":                      {paired, "", true},
		"let in, and should not be":   {paired, "env_denied", false},
		"refused":                     {guessed, "env_denied", true},
		"refused, and should not be":  {guessed, "", false},
		"refused with another reason": {guessed, "grant_expired", false},
	} {
		t.Run(name, func(t *testing.T) {
			device.Secret = c.shown
			d, err := device.call(t.Context(), newPattern())
			if err != nil {
				t.Fatal(err)
			}
			defer d.conn.Close()
			part := &callers{ctx: t.Context(), refused: c.refused}
			for range 2 { // the control connection is good for more than one
				if goOn := part.note(part.once(d)); goOn != c.counts || len(part.took) > 0 != c.counts {
					t.Errorf("counts %v, goes on: %v; %v", part.took, goOn, part.failure)
				}
			}
			if _, err := part.progress(t.Context(), struct{}{}); (err == nil) != c.counts {
				t.Errorf("progress: %v", err)
			}
		})
	}
}

// TestCallersEnd: callers go on until their part ends, and end with it.
func TestCallersEnd(t *testing.T) {
	secret := [32]byte{1}
	device := newEchoHouse(t, secret)
	device.Secret = secret
	p := newCallers()
	defer p.Close() // returns when they have ended; goleak looks whether they have
	if _, err := p.Handlers[Open](t.Context(), marshal(t, DevicesConfig{Devices: []DeviceConfig{device, device}})); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Handlers[Flow](t.Context(), marshal(t, struct{}{})); err != nil {
		t.Fatal(err)
	}
	for opens := 0; opens < 4; {
		got, err := p.Handlers[Progress](t.Context(), marshal(t, struct{}{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, took := range got.(Opened).Took {
			if opens++; took <= 0 || took > time.Minute {
				t.Errorf("an open took %v", took)
			}
		}
	}
}

// TestNothingComesBack: a leg that carries nothing is an error, not a wait.
func TestNothingComesBack(t *testing.T) {
	secret := [32]byte{1}
	device := newEchoHouse(t, secret)
	device.Secret = secret
	d, err := device.call(t.Context(), newPattern())
	if err != nil {
		t.Fatal(err)
	}
	defer d.conn.Close()
	request, err := d.request(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leg, err := d.conn.OpenWith(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer leg.Close()
	if _, err := carried(leg, time.Millisecond); !errors.Is(err, errNoEcho) {
		t.Errorf("got %v", err)
	}
}

func TestWantCode(t *testing.T) {
	denied, other := &wire.Error{Code: wire.CodeEnvDenied}, errors.New("cable cut")
	for _, c := range []struct {
		err  error
		code string
		want error
	}{
		{denied, "env_denied", nil}, {denied, "", denied}, {denied, "grant_expired", denied}, {other, "env_denied", other}, {other, "", other},
	} {
		if got := wantCode(c.err, c.code); got != c.want {
			t.Errorf("%v, when %q is wanted: %v", c.err, c.code, got)
		}
	}
}

func marshal(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
