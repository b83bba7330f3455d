package control

import (
	"errors"
	"testing"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// tellRevocations has a router register once more, with these revocations.
func (r *testRelay) tellRevocations(t *testing.T, rt *testRouter, number uint64, devices ...*auth.Identity) (newer bool) {
	t.Helper()
	list := auth.Revocations{Number: number}
	for _, d := range devices {
		list.Devices = append(list.Devices, auth.Revocation{Device: d.DeviceID()}) // serial 0 is what test grants have
	}
	registered, err := ask[*wire.Registered](t, rt.client, &wire.Register{Token: r.token[:], Revocations: list.Append(nil)})
	if err != nil {
		t.Fatal(err)
	}
	return registered.Newer
}

// TestRevokedGrant: what the router has taken back is refused at the relay, and
// the router is not even asked. Older revocations change nothing.
func TestRevokedGrant(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt := r.register(t, identity(t), accept)
	lost, kept := r.dial(t, identity(t)), r.dial(t, identity(t))
	check := func(when string, c *client, want error) {
		t.Helper()
		if _, err := c.open(t, rt.id); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", when, err, want)
		}
		if asked := len(rt.incoming) > 0; asked != (want == nil) {
			t.Errorf("%s: the router was asked: %t", when, asked)
		}
		for len(rt.incoming) > 0 {
			<-rt.incoming
		}
	}
	check("before", lost, nil)
	r.tellRevocations(t, rt, 2, lost.id)
	check("revoked", lost, wire.CodeGrantRevoked)
	check("another device", kept, nil)
	r.tellRevocations(t, rt, 1)
	check("after older revocations", lost, wire.CodeGrantRevoked)
	r.tellRevocations(t, rt, 2, kept.id)
	check("after others of the same number", lost, wire.CodeGrantRevoked)

	// The router comes back on a new connection, with the state of an old backup.
	before := rt
	rt = r.register(t, before.id, accept)
	check("after a registration that says none", lost, wire.CodeGrantRevoked)
	r.tellRevocations(t, rt, 3)
	check("after the expired entry is gone", lost, nil)

	// It leaves, and comes back with an old backup.
	r.tellRevocations(t, rt, 4, lost.id)
	rt.CloseWithError(0, "")
	eventually(t, "that the router is gone", func() bool { return r.Routers() == 0 })
	rt = r.register(t, before.id, accept)
	if newer := r.tellRevocations(t, rt, 3); !newer {
		t.Error("the router is not told that it knows less than the relay")
	}
	check("after it was away", lost, wire.CodeGrantRevoked)
	if newer := r.tellRevocations(t, rt, 5); newer {
		t.Error("the router is told that the newest are old")
	}
	check("after it has caught up", lost, nil)
}

func TestRegisterWithDamagedRevocations(t *testing.T) {
	r := startRelay(t, nil, nil)
	router := r.dial(t, identity(t))
	_, err := ask[*wire.Registered](t, router, &wire.Register{Token: r.token[:], Revocations: make([]byte, 9)})
	if !errors.Is(err, wire.CodeBadRequest) || r.Routers() != 0 {
		t.Errorf("%v; %d routers are present", err, r.Routers())
	}
}
