package agent

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
)

func itoa(n uint16) string { return strconv.Itoa(int(n)) }

func isRefused(err error, code string) bool {
	return errors.Is(err, &tunnel.RefusedError{By: "router", Code: code})
}

// TestLostGrant: a fresh grant that never arrives locks nobody out. It comes again, under the same number,
// until it is shown; then the old one is void.
func TestLostGrant(t *testing.T) {
	a := newAgent(t, strict)
	p := newPhone(t, a, "mine")
	old := p.device.Grant.Serial
	for range 3 {
		r := p.open(atHome)
		p.wants("with the old grant", r, allow, nil)
		if r.Grant == nil {
			t.Fatal("no fresh grant")
		}
	}
	p.renew()
	if p.device.Grant.Serial != old+1 || p.device.Grant.Policy == nil {
		t.Errorf("serial %d after %d, policy %v", p.device.Grant.Serial, old, p.device.Grant.Policy)
	}
	if r := p.open(atHome); r.Verdict != allow || r.Grant != nil {
		t.Errorf("with the fresh grant: %+v", r)
	}
	if a.devices.admits(p.id.DeviceID(), old) {
		t.Error("the old grant is still good")
	}
	list, err := auth.ParseRevocations(a.devices.revoked())
	if err != nil || !list.Revoked(p.id.DeviceID(), old) || list.Revoked(p.id.DeviceID(), old+1) {
		t.Errorf("the relay is told: %+v, %v", list, err)
	}
}

// TestTwoSessions: two programs of one device, in sessions at once, never leave it with a grant that is void.
func TestTwoSessions(t *testing.T) {
	a := newAgent(t, strict)
	p := newPhone(t, a, "mine")
	var given [8][]byte
	var all sync.WaitGroup
	for i := range given {
		at := atHome
		at.ssid = fmt.Sprint("net ", i%2)
		c := p.at(at)
		all.Go(func() { given[i] = a.judge(c).Grant })
	}
	all.Wait()
	for i, raw := range given {
		if raw == nil {
			continue
		}
		grant, err := auth.Verify(raw, a.RouterID(), p.id.PublicKey(), time.Now())
		if err != nil || !a.devices.admits(p.id.DeviceID(), grant.Serial) {
			t.Errorf("session %d was given grant %d, which is void: %v", i, grant.Serial, err)
		}
	}
	if !a.devices.admits(p.id.DeviceID(), p.device.Grant.Serial) {
		t.Error("the old grant is void, and nobody has shown a fresh one")
	}
}

// TestOlderTunnelOfTheSameDevice: it goes on, and is given no grant: the device has shown a newer one.
func TestOlderTunnelOfTheSameDevice(t *testing.T) {
	a := newAgent(t, strict)
	p := newPhone(t, a, "mine")
	older := p.at(atHome)
	p.open(atHome)
	p.renew().open(atHome)
	r := a.judge(older)
	p.wants("the older tunnel", r, allow, nil)
	if r.Grant != nil || a.devices.admits(p.id.DeviceID(), older.Device.Grant.Serial) || !a.devices.admits(p.id.DeviceID(), p.device.Grant.Serial) {
		t.Errorf("grant %x; the older one is good again, or the newer is not", r.Grant)
	}
	if !a.devices.stillGood(p.id.DeviceID(), older.Device.Grant.Serial) {
		t.Error("its streams are refused")
	}
}

// widest are a policy and services that leave little room in a grant.
func widest(t *testing.T) (*ecv.Policy, []string) {
	t.Helper()
	p := &ecv.Policy{Weights: [ecv.Features]uint8{100, 100, 100, 100, 50, 50}, Allow: 500, StepUp: 100, MaxAge: 30 * 24 * time.Hour, Mandatory: ecv.SetOf(0, 1, 2, 3, 4, 5)}
	var names []string
	for i := range auth.MaxServices - len(everybodys) - 1 {
		names = append(names, fmt.Sprintf("%s%02d", strings.Repeat("x", 30), i))
	}
	for i := range ecv.MaxDemands {
		p.Services = append(p.Services, ecv.Demand{Service: names[i], Allow: 500, Mandatory: p.Mandatory})
		if p.Validate() != nil {
			p.Services = p.Services[:i]
			break
		}
	}
	if n := len(p.String()); n < ecv.MaxPolicySize-80 {
		t.Fatalf("a policy of %d bytes is not wide", n)
	}
	return p, names
}

func surroundingsOf(n byte, at time.Time) Surroundings {
	s := Surroundings{LearnedAt: at, SeenAt: at}
	for i := range byte(9) {
		s.Tags = append(s.Tags, Tag{ecv.Geo, ecv.TagID{n, i}})
	}
	for _, f := range []ecv.Feature{ecv.Account, ecv.WiFi, ecv.Net, ecv.ASN, ecv.Country} {
		s.Tags = append(s.Tags, Tag{f, ecv.TagID{n}})
	}
	return s
}

// TestGrantAlwaysFits: however wide policy and services are, there is room for one environment, and the
// oldest ones make it.
func TestGrantAlwaysFits(t *testing.T) {
	policy, names := widest(t)
	i, device, now := issuer{router: newIdentity(t), policy: policy}, newIdentity(t), time.Now()
	one := PairedDevice{ID: device.DeviceID(), Role: auth.RoleGuest, Services: names, Serial: 1 << 63, Expires: now.Add(grantLifetime)}
	for n := range byte(maxSurroundings) {
		one.Learned = learned(one.Learned, surroundingsOf(n, now).Tags, now.Add(time.Duration(n)*time.Minute))
	}
	if _, err := i.sign(one, device.PublicKey(), now); !errors.Is(err, auth.ErrGrantTooLarge) {
		t.Fatalf("all of it: %v", err)
	}
	newest := one.Learned[len(one.Learned)-1]
	raw, err := i.fit(&one, device.PublicKey(), now)
	if err != nil {
		t.Fatal(err)
	}
	if len(one.Learned) == 0 || one.Learned[len(one.Learned)-1].Tags[0] != newest.Tags[0] {
		t.Errorf("%d environments are left, and not the newest", len(one.Learned))
	}
	grant, err := auth.Verify(raw, i.router.RouterID(), device.PublicKey(), now)
	if err != nil || !i.upToDate(grant, one) {
		t.Errorf("%v; not up to date at once", err)
	}
	one.Learned = one.Learned[len(one.Learned)-1:]
	if _, err := i.sign(one, device.PublicKey(), now); err != nil {
		t.Errorf("with one environment: %v", err)
	}
	// Without services of their own all eight fit: the number is well chosen.
	one.Services, one.Learned = []string{auth.AllServices}, nil
	for n := range byte(maxSurroundings) {
		one.Learned = learned(one.Learned, surroundingsOf(n, now).Tags, now)
	}
	if _, err := i.sign(one, device.PublicKey(), now); err != nil || len(one.Learned) != maxSurroundings {
		t.Errorf("%d environments of an owner: %v", len(one.Learned), err)
	}
}

// TestLearned: what is new is kept, even by a clock that was set back; what was not seen for the longest time
// makes room; the same again takes no second place.
func TestLearned(t *testing.T) {
	now := time.Now()
	var all []Surroundings
	for n := range byte(maxSurroundings) {
		all = learned(all, surroundingsOf(n, now).Tags, now.Add(time.Duration(n)*time.Hour))
	}
	if again := learned(all, surroundingsOf(5, now).Tags, now); !accepted(again).Equal(accepted(all)) {
		t.Error("what is known already has made others give way")
	}
	all[0].SeenAt = now.Add(100 * time.Hour) // seen again; so the second is the oldest
	next := learned(all, surroundingsOf(100, now).Tags, now.Add(-1000*time.Hour))
	if len(next) != maxSurroundings || next[len(next)-1].Tags[0].ID[0] != 100 {
		t.Fatalf("the new one is not kept: %d", len(next))
	}
	known := accepted(next)
	if !known.Has(ecv.WiFi, ecv.TagID{0}) || known.Has(ecv.WiFi, ecv.TagID{1}) {
		t.Error("not the oldest has made room")
	}
}

// TestSeenAgain: only surroundings in which a device really is are noted as seen: the account is the same
// everywhere, and would keep all of them for ever.
func TestSeenAgain(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, strict))
	if _, err := p.a.admit(p.at(hotel), time.Now()); err != nil {
		t.Fatal(err)
	}
	p.later(10 * 24 * time.Hour)
	p.wants("at home", p.open(atHome), allow, nil)
	learned := p.kept().Learned
	if len(learned) != 2 || time.Since(learned[0].SeenAt) > time.Hour || time.Since(learned[1].SeenAt) < 9*24*time.Hour {
		t.Errorf("seen at %v and %v", learned[0].SeenAt, learned[1].SeenAt)
	}
}
