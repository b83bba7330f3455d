package control

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

// TestVerdicts: what the device shows and where it is decide. All it has to show
// is 100; the policy allows from 70 and lets confirm from 30.
func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(e *environment, m *wire.Open) // e: what the grant accepts; m: what is shown
		want   ecv.Verdict
		reason ecv.Reason // one of them, of a denial
	}{
		{"all", func(*environment, *wire.Open) {}, ecv.Allow, ""},
		{"no place", func(_ *environment, m *wire.Open) { m.Geo = nil }, ecv.Allow, ""},
		{"in another network", func(e *environment, _ *wire.Open) { e.addr = elsewhere }, ecv.Allow, ""},
		{"in another network, no wifi", func(e *environment, m *wire.Open) { e.addr, m.WiFi = elsewhere, nil }, ecv.StepUp, ""},
		{"in another network, no proofs", func(e *environment, m *wire.Open) {
			e.addr = elsewhere
			m.WiFi, m.Geo = nil, nil
		}, ecv.Deny, "net_unknown"},
		{"no wifi", func(_ *environment, m *wire.Open) { m.WiFi = nil }, ecv.StepUp, ""},
		{"no proofs", func(_ *environment, m *wire.Open) { m.WiFi, m.Geo = nil, nil }, ecv.StepUp, ""},
		{"another wifi", func(e *environment, _ *wire.Open) { e.wifi.SSID = "other" }, ecv.StepUp, ""},
		{"no observation key", func(_ *environment, m *wire.Open) { clear(m.ObservationKey[:]) }, ecv.StepUp, ""},
		{"another observation key", func(_ *environment, m *wire.Open) { m.ObservationKey[0] ^= 1 }, ecv.StepUp, ""},
		{"wifi only, unknown", func(e *environment, m *wire.Open) {
			e.wifi.SSID = "other"
			m.Geo = nil
			clear(m.ObservationKey[:])
		}, ecv.Deny, "wifi_unknown"},
		{"nothing", func(_ *environment, m *wire.Open) {
			m.WiFi, m.Geo = nil, nil
			clear(m.ObservationKey[:])
		}, ecv.Deny, "account_missing"},
		{"the proofs exchanged", func(_ *environment, m *wire.Open) {
			m.WiFi, m.Geo = m.Geo, m.WiFi
			clear(m.ObservationKey[:])
		}, ecv.Deny, "geo_unknown"},
		{"forged signatures", func(_ *environment, m *wire.Open) {
			m.WiFi[ecv.ProofSize-1] ^= 1
			m.Geo[ecv.ProofSize-40] ^= 1
			clear(m.ObservationKey[:])
		}, ecv.Deny, "wifi_invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, nil, nil)
			rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
			e := usual(t, device.id)
			m := device.show(t, e, rt.id, nil)
			tt.change(e, m)
			m.Grant = grantWith(t, rt.id, device.id, policy(70, 30), e.accepted())
			_, err := ask[*wire.Opened](t, device, m)
			r.checkVerdict(t, rt, err, tt.want, tt.reason)
		})
	}
}

// checkVerdict compares what became of an open with what was to become of it.
func (r *testRelay) checkVerdict(t *testing.T, rt *testRouter, err error, want ecv.Verdict, reason ecv.Reason) {
	t.Helper()
	if got := r.Verdicts.all(); !maps.Equal(got, map[string]uint64{want.String() + " at open": 1}) {
		t.Errorf("counted %v, want %v", got, want)
	}
	if want != ecv.Deny {
		if err != nil {
			t.Fatal(err)
		}
		if in := rt.next(t); in.Vouched.Limited != (want == ecv.StepUp) {
			t.Errorf("the router is told that the session is limited: %t", in.Vouched.Limited)
		}
		return
	}
	var refused *wire.Error
	if !errors.As(err, &refused) || refused.Code != wire.CodeEnvDenied || !slices.Contains(ecv.ParseReasons(refused.Reasons), reason) {
		t.Errorf("open = %#v, want env_denied because of %s", err, reason)
	}
	if len(rt.incoming) != 0 {
		t.Error("the router heard of it")
	}
	r.noSessionEver(t)
}

// TestVouched: the router is told names of what the relay sees, whether or not
// the grant demands anything; without a key, it is told nothing.
func TestVouched(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy *ecv.Policy
		keep   bool
		want   string
	}{
		{"demanded", policy(70, 30), true, "allow at open"},
		{"nothing demanded", nil, true, "none at open"},
		{"no key", nil, false, "none at open"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, nil, nil)
			rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
			e := usual(t, device.id)
			accepted := e.accepted()
			if tt.policy == nil {
				accepted = ecv.Accepted{}
			}
			m := device.show(t, e, rt.id, grantWith(t, rt.id, device.id, tt.policy, accepted))
			want := wire.Vouched{Account: wire.TagID(e.key().TagID(ecv.Account, e.account)), Net: e.netID("127.0.0.1")}
			if !tt.keep {
				clear(m.ObservationKey[:])
				want = wire.Vouched{}
			}
			if _, err := ask[*wire.Opened](t, device, m); err != nil {
				t.Fatal(err)
			}
			if in := rt.next(t); in.Vouched != want {
				t.Errorf("told %+v, want %+v", in.Vouched, want)
			}
			if got := r.Verdicts.all(); !maps.Equal(got, map[string]uint64{tt.want: 1}) {
				t.Errorf("counted %v", got)
			}
		})
	}
}

// TestNothingIsLearnedYet: a device is told why nothing that it shows can help.
func TestNothingIsLearnedYet(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
	e := usual(t, device.id)
	_, err := ask[*wire.Opened](t, device, device.show(t, e, rt.id, grantWith(t, rt.id, device.id, policy(70, 30), ecv.Accepted{})))
	r.checkVerdict(t, rt, err, ecv.Deny, ecv.NothingLearned)
}

// TestPairingIsNotJudged, whatever is shown with it.
func TestPairingIsNotJudged(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
	m := device.show(t, usual(t, device.id), rt.id, nil)
	m.Purpose = wire.PurposePairing
	opened, err := ask[*wire.Opened](t, device, m)
	if err != nil {
		t.Fatal(err)
	}
	if in := rt.next(t); in.Vouched != (wire.Vouched{}) {
		t.Errorf("the router was told %+v", in.Vouched)
	}
	r.bind(t, opened.Leg, opened.Secret)
	if got := r.Verdicts.all(); len(got) != 0 {
		t.Errorf("counted %v", got)
	}
}

// TestStolenEvidence: what somebody has got hold of is worth nothing elsewhere.
// Full evidence would be allowed here, and anything less is refused.
func TestStolenEvidence(t *testing.T) {
	for _, tt := range []struct {
		name   string
		steal  func(t *testing.T, r *testRelay, router *auth.Identity, victim *client) (*client, *wire.Open)
		want   wire.Code
		reason ecv.Reason
	}{
		{"proofs of another connection of the same device", func(t *testing.T, r *testRelay, router *auth.Identity, victim *client) (*client, *wire.Open) {
			return r.dial(t, victim.id), victim.show(t, usual(t, victim.id), router, nil)
		}, wire.CodeEnvDenied, "wifi_invalid"},
		{"proofs for another router", func(t *testing.T, r *testRelay, router *auth.Identity, victim *client) (*client, *wire.Open) {
			m := victim.show(t, usual(t, victim.id), identity(t), nil)
			m.Router = router.RouterID()
			return victim, m
		}, wire.CodeEnvDenied, "geo_invalid"},
		{"proofs of yesterday", func(t *testing.T, r *testRelay, router *auth.Identity, victim *client) (*client, *wire.Open) {
			e := usual(t, victim.id)
			e.wifi.Seen = time.Now().Add(-2 * time.Hour)
			e.place.Seen = e.wifi.Seen
			return victim, victim.show(t, e, router, nil)
		}, wire.CodeEnvDenied, "wifi_stale"},
		{"proofs with another pairing secret", func(t *testing.T, r *testRelay, router *auth.Identity, victim *client) (*client, *wire.Open) {
			e := usual(t, victim.id)
			e.secret[0] ^= 1
			return victim, victim.show(t, e, router, nil)
		}, wire.CodeEnvDenied, "net_unknown"},
		{"a grant without the device's key", func(t *testing.T, r *testRelay, router *auth.Identity, victim *client) (*client, *wire.Open) {
			thief := r.dial(t, identity(t))
			return thief, thief.show(t, usual(t, victim.id), router, nil)
		}, wire.CodeGrantInvalid, ""},
		{"nothing but key and grant", func(t *testing.T, r *testRelay, router *auth.Identity, victim *client) (*client, *wire.Open) {
			return r.dial(t, victim.id), &wire.Open{Router: router.RouterID()}
		}, wire.CodeEnvDenied, "account_missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, nil, nil)
			rt, victim := r.register(t, identity(t), accept), r.dial(t, identity(t))
			e := usual(t, victim.id)
			raw := grantWith(t, rt.id, victim.id, policy(100, 100), e.accepted())
			who, m := tt.steal(t, r, rt.id, victim)
			m.Grant = raw
			_, err := ask[*wire.Opened](t, who, m)
			var refused *wire.Error
			if !errors.As(err, &refused) || refused.Code != tt.want {
				t.Fatalf("open = %v, want %v", err, tt.want)
			}
			if tt.reason != "" && !slices.Contains(ecv.ParseReasons(refused.Reasons), tt.reason) {
				t.Errorf("the reasons are %s, and not %s", refused.Reasons, tt.reason)
			}
			r.noSessionEver(t)
			if _, err := ask[*wire.Opened](t, victim, victim.show(t, e, rt.id, raw)); err != nil {
				t.Errorf("the device itself: %v", err)
			}
		})
	}
}

// TestGrantOfAnotherRouter: evidence does not make up for it.
func TestGrantOfAnotherRouter(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt, other, device := r.register(t, identity(t), accept), identity(t), r.dial(t, identity(t))
	e := usual(t, device.id)
	_, err := ask[*wire.Opened](t, device, device.show(t, e, rt.id, grantWith(t, other, device.id, policy(70, 30), e.accepted())))
	if !errors.Is(err, wire.CodeGrantInvalid) {
		t.Errorf("open = %v", err)
	}
	if got := r.Verdicts.all(); len(got) != 0 {
		t.Errorf("it was judged: %v", got)
	}
}

// TestStepUpIsLimited in bytes and in time, and other sessions are not.
func TestStepUpIsLimited(t *testing.T) {
	for _, tt := range []struct {
		name    string
		limits  func(*Limits)
		verdict ecv.Verdict
		bytes   int
		want    forward.EndReason
	}{
		{"in bytes", func(l *Limits) { l.StepUpBytes = 3000 }, ecv.StepUp, 3000, forward.EndLimited},
		{"in time", func(l *Limits) { l.StepUpTime = 10 * time.Millisecond }, ecv.StepUp, 0, forward.EndLimited},
		{"not when allowed", func(l *Limits) { l.StepUpBytes, l.StepUpTime = 1, 1 }, ecv.Allow, 3000, forward.EndUnbound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, tt.limits, nil)
			rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
			e := usual(t, device.id)
			m := device.show(t, e, rt.id, grantWith(t, rt.id, device.id, policy(70, 30), e.accepted()))
			if tt.verdict == ecv.StepUp {
				m.WiFi = nil
			}
			opened, err := ask[*wire.Opened](t, device, m)
			if err != nil {
				t.Fatal(err)
			}
			in := rt.next(t)
			a, b := r.bind(t, opened.Leg, opened.Secret), r.bind(t, in.Leg, in.Secret)
			packet := "\x40" + string(make([]byte, 999))
			for range tt.bytes / len(packet) {
				tell(t, a, b, packet)
			}
			if tt.want == forward.EndUnbound {
				a.Write(wire.LegMessage{Type: wire.TypeUnbind, Leg: opened.Leg, Counter: 9}.Append(nil, &opened.Secret))
			}
			eventually(t, tt.want.String(), func() bool { return r.plane.Stats().Sessions == 0 })
			if got := r.plane.Stats().Ended; got[tt.want] != 1 {
				t.Errorf("sessions ended: %v", got)
			}
		})
	}
}
