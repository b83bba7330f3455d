package control

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

// want compares what is held about a device with what should be.
func (c *client) want(t *testing.T, m *wire.Inspect, want wire.Held) (receipt []byte) {
	t.Helper()
	got, err := ask[*wire.Held](t, c, m)
	if err != nil {
		t.Fatal(err)
	}
	receipt, got.Receipt = got.Receipt, nil
	if got.Sessions != want.Sessions || got.Bytes != want.Bytes || got.Connections != want.Connections {
		t.Errorf("held %+v, want %+v", *got, want)
	}
	return receipt
}

// TestInspect: a device hears of itself, and of one router at a time.
func TestInspect(t *testing.T) {
	r := startRelay(t, nil, nil)
	home, office := r.register(t, identity(t), accept), r.register(t, identity(t), accept)
	device, other := r.dial(t, identity(t)), r.dial(t, identity(t))
	device.want(t, &wire.Inspect{Router: home.id.RouterID()}, wire.Held{Connections: 1})

	opened, err := device.open(t, home.id)
	if err != nil {
		t.Fatal(err)
	}
	in := home.next(t)
	for _, open := range []func(testing.TB, *auth.Identity) (*wire.Opened, error){device.open, other.open} {
		if _, err := open(t, office.id); err != nil {
			t.Fatal(err)
		}
	}
	a, b := r.bind(t, opened.Leg, opened.Secret), r.bind(t, in.Leg, in.Secret)
	tell(t, a, b, "\x40 hello")
	tell(t, b, a, "\x40 hi")
	again := r.dial(t, device.id)
	if receipt := again.want(t, &wire.Inspect{Router: home.id.RouterID()}, wire.Held{Sessions: 1, Bytes: 11, Connections: 2}); receipt != nil {
		t.Error("there is a receipt, and nothing was erased")
	}
	device.want(t, &wire.Inspect{Router: office.id.RouterID()}, wire.Held{Sessions: 1, Connections: 2})
	other.want(t, &wire.Inspect{Router: home.id.RouterID()}, wire.Held{Connections: 1})

	a.Write(wire.LegMessage{Type: wire.TypeUnbind, Leg: opened.Leg, Counter: 9}.Append(nil, &opened.Secret))
	again.CloseWithError(0, "")
	eventually(t, "both are gone", func() bool {
		m, err := ask[*wire.Held](t, device, &wire.Inspect{Router: home.id.RouterID()})
		return err == nil && m.Sessions == 0 && m.Connections == 1
	})
}

// TestErase: the sessions end before the relay signs that they have.
func TestErase(t *testing.T) {
	r := startRelay(t, nil, nil)
	home, office := r.register(t, identity(t), accept), r.register(t, identity(t), accept)
	device, other := r.dial(t, identity(t)), r.dial(t, identity(t))
	for _, open := range []struct {
		*client
		to *testRouter
	}{{device, home}, {device, home}, {device, office}, {other, home}} {
		if _, err := open.open(t, open.to.id); err != nil {
			t.Fatal(err)
		}
	}
	raw := device.want(t, &wire.Inspect{Router: home.id.RouterID(), Erase: true}, wire.Held{Sessions: 2, Connections: 1})
	if st := r.plane.Stats(); st.Sessions != 2 || st.Ended[forward.EndByRelay] != 2 {
		t.Errorf("%d sessions are left, %v ended", st.Sessions, st.Ended)
	}
	receipt := r.receiptFor(t, raw, device, home)
	if len(receipt.Erased) != 1 || receipt.Erased[0] != "sessions" {
		t.Errorf("it says that %v was erased", receipt.Erased)
	}
	receipt.Device = other.id.DeviceID()
	if receipt.Verify(r.id.PublicKey()) == nil {
		t.Error("it is good for another device too")
	}

	raw = device.want(t, &wire.Inspect{Router: home.id.RouterID(), Erase: true}, wire.Held{Connections: 1})
	if receipt := r.receiptFor(t, raw, device, home); len(receipt.Erased) != 0 {
		t.Errorf("there was nothing, but %v was erased", receipt.Erased)
	}
	device.want(t, &wire.Inspect{Router: office.id.RouterID()}, wire.Held{Sessions: 1, Connections: 1})
	other.want(t, &wire.Inspect{Router: home.id.RouterID()}, wire.Held{Sessions: 1, Connections: 1})
}

// receiptFor reads a receipt and checks that it is the relay's for these two.
func (r *testRelay) receiptFor(t *testing.T, raw []byte, device *client, router *testRouter) (receipt auth.Receipt) {
	t.Helper()
	if err := json.Unmarshal(raw, &receipt); err != nil {
		t.Fatal(err)
	}
	if err := receipt.Verify(r.id.PublicKey()); err != nil {
		t.Error(err)
	}
	if receipt.Party != string(auth.PeerRelay) || receipt.Device != device.id.DeviceID() || receipt.Router != router.id.RouterID() ||
		time.Since(receipt.At).Abs() > time.Minute {
		t.Errorf("the receipt is %+v", receipt)
	}
	return receipt
}

// TestQuestionsAreLimited as opens are, by device.
func TestQuestionsAreLimited(t *testing.T) {
	for name, question := range map[string]wire.Message{"inspect": &wire.Inspect{Router: identity(t).RouterID()}, "login": &wire.Login{}} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, func(l *Limits) { l.OpensPerMinutePerDevice = 6 }, nil) // bursts of five
			device := r.dial(t, identity(t))
			for i := range 6 {
				_, err := ask[*wire.Held](t, device, question)
				var refused *wire.Error
				limited := errors.As(err, &refused) && refused.Code == wire.CodeRateLimited && refused.RetryAfter > 0
				if limited != (i == 5) {
					t.Errorf("question %d: %v", i, err)
				}
			}
		})
	}
}
