package agent

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/service"
)

const (
	deny, stepUp, allow = ecv.Deny, ecv.StepUp, ecv.Allow
)

// newKnownPhone has paired and shown its home.
func newKnownPhone(t testing.TB, a *Agent) *phone {
	t.Helper()
	p := newPhone(t, a, "mine")
	p.wants("the first session", p.open(atHome), allow, map[string]ecv.Verdict{"ssh": allow})
	p.later(2 * learningTime)
	return p.renew()
}

// TestJudge: where a phone is known it is let in, and nowhere else.
func TestJudge(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, strict))
	for name, test := range map[string]struct {
		at       where
		session  ecv.Verdict
		services map[string]ecv.Verdict
	}{
		"at home":             {atHome, allow, map[string]ecv.Verdict{"http": allow, "ssh": allow, "status": allow}},
		"at home, no Wi-Fi":   {where{lat: 52.52, lon: 13.405, net: "192.0.2.1"}, allow, map[string]ecv.Verdict{"http": allow, "ssh": stepUp}},
		"next door":           {where{ssid: "kitchen", lat: 52.55, lon: 13.45, net: "192.0.2.200"}, allow, map[string]ecv.Verdict{"ssh": allow}},
		"nothing shown":       {where{noPlace: true, net: "203.0.113.9"}, allow, map[string]ecv.Verdict{"http": stepUp, "ssh": stepUp, "status": allow, service.NameUnpair: allow, service.NamePersonal: stepUp}},
		"relay says nothing":  {where{ssid: "kitchen", lat: 52.52, lon: 13.405}, allow, map[string]ecv.Verdict{"http": allow, "ssh": allow}},
		"evidence of hours":   {where{ssid: "kitchen", lat: 52.52, lon: 13.405, net: "192.0.2.1", age: time.Hour}, allow, map[string]ecv.Verdict{"http": stepUp, "status": allow}},
		"evidence of the day": {where{ssid: "kitchen", lat: 52.52, lon: 13.405, net: "192.0.2.1", age: -24 * time.Hour}, allow, map[string]ecv.Verdict{"http": stepUp}},
	} {
		p.wants(name, p.a.rule(p.at(test.at), p.kept(), time.Now()), test.session, test.services)
	}
}

// TestStolenKeyWithoutEnvironment: by what the template suggests, key and grant alone open nothing, nor do
// they with the owner's town.
func TestStolenKeyWithoutEnvironment(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, templateECV()))
	p.wants("the owner, without his Wi-Fi", p.open(where{lat: atHome.lat, lon: atHome.lon, net: atHome.net}), allow, map[string]ecv.Verdict{"http": allow})
	for name, w := range map[string]where{
		"says nothing":     {noPlace: true, net: "203.0.113.9"},
		"shows his own":    sydney,
		"in the same city": {ssid: "neighbour", lat: atHome.lat, lon: atHome.lon, net: "203.0.113.9"}, // provider and country are the same, too
	} {
		p.wants(name, p.open(w), stepUp, map[string]ecv.Verdict{"http": stepUp, service.NameManage: stepUp, service.NamePersonal: stepUp, service.NameStatus: stepUp})
	}
	// Whoever knows the network's name, but has not the pairing secret's place either.
	p.wants("guesses the Wi-Fi's name", p.open(where{ssid: "Kitchen", noPlace: true, net: "203.0.113.9"}), stepUp, nil)
}

// TestRelayVouchesForAll: a relay that lies about all that it alone can see lets no thief in, not even
// with the device's key.
func TestRelayVouchesForAll(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, "ecv: {allow: 60}"))
	lie := p.at(where{noPlace: true, net: atHome.net})
	r := p.a.judge(lie)
	p.wants("all vouched for", r, stepUp, map[string]ecv.Verdict{"http": stepUp})
	if r.Score != 55 || r.Grant != nil {
		t.Errorf("score %d, want 55, the weight of account, net, asn and country; grant %x", r.Score, r.Grant)
	}
}

// TestRelaySkipsTheCheck: what the relay has decided is nowhere in the router's judgement. A session that
// it should have refused gets no service.
func TestRelaySkipsTheCheck(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, "ecv: {allow: 60, step_up: 50}"))
	p.wants("a session with nothing", p.open(where{noPlace: true}), deny, map[string]ecv.Verdict{"http": deny, service.NameUnpair: deny})
	p.wants("a session from far away", p.open(sydney), deny, nil)
}

// TestImpossibleTravel: who was at home a moment ago is not on the other side of the world now, whatever
// else matches.
func TestImpossibleTravel(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, strict))
	p.wants("at home", p.open(atHome), allow, nil)
	far := atHome
	far.lat, far.lon = sydney.lat, sydney.lon
	r := p.open(far)
	p.wants("in Sydney, with the home's Wi-Fi", r, stepUp, map[string]ecv.Verdict{"http": stepUp, "status": stepUp})
	if !slices.Contains(r.Reasons, ecv.ImpossibleTravel) {
		t.Errorf("reasons: %v", r.Reasons)
	}
	if p.kept().Place.Cell != uint64(p.at(atHome).Evidence.Place.Cell) {
		t.Error("a place that was not believed was kept")
	}
	p.later(24 * time.Hour)
	p.wants("a day later", p.open(far), allow, map[string]ecv.Verdict{"http": allow})
}

// TestLearningWindow: a device that has shown nothing may do so within an hour of its pairing. After that, and
// on a router whose clock was set back, somebody must confirm it.
func TestLearningWindow(t *testing.T) {
	p := newPhone(t, newAgent(t, strict), "mine")
	p.wants("nothing to learn", p.open(where{noPlace: true}), allow, nil)
	if p.kept().Learned != nil {
		t.Errorf("learned from nothing: %+v", p.kept().Learned)
	}
	for _, by := range []time.Duration{2 * learningTime, -24 * time.Hour} {
		p.later(by)
		r := p.open(atHome)
		p.wants("later", r, stepUp, map[string]ecv.Verdict{"http": stepUp, "status": stepUp, service.NameUnpair: allow})
		if !slices.Equal(r.Reasons, []ecv.Reason{ecv.NothingLearned}) || len(p.kept().Learned) > 0 {
			t.Errorf("%v: reasons %v, learned %v", by, r.Reasons, p.kept().Learned)
		}
	}
}

// TestEasyServiceTeachesNothing: who is let in to an easy service with a stolen key can't have the router
// learn his own surroundings there, of features that the owner has never shown.
func TestEasyServiceTeachesNothing(t *testing.T) {
	a := newAgent(t, strict)
	p := newPhone(t, a, "mine")
	p.open(where{noPlace: true, net: atHome.net}) // the owner's phone has not the permission to see more
	p.later(2 * learningTime)
	p.renew()
	thief := sydney
	thief.net = atHome.net // his relay lies
	for range 3 {
		p.wants("the thief", p.open(thief), allow, map[string]ecv.Verdict{"status": allow, "http": stepUp, "ssh": stepUp})
		p.renew()
	}
	if known := accepted(p.kept().Learned); known.Any(ecv.WiFi) || known.Any(ecv.Geo) {
		t.Error("the router has learned the thief's surroundings")
	}
}

// TestStrictServiceIsNotTaught: nor can what he lacks for a strict service be learned by being let in to the others.
func TestStrictServiceIsNotTaught(t *testing.T) {
	a := newAgent(t, strict)
	p := newPhone(t, a, "mine")
	noWiFi := atHome
	noWiFi.ssid = ""
	p.open(noWiFi)
	p.later(2 * learningTime)
	for range 3 {
		p.renew()
		p.wants("with any Wi-Fi", p.open(atHome), allow, map[string]ecv.Verdict{"http": allow, "ssh": stepUp})
	}
}

// TestLearnsWhatWasNeverShown: once nothing is closed to a device, what it shows for the first time is
// learned, at the surroundings that it is in.
func TestLearnsWhatWasNeverShown(t *testing.T) {
	a := newAgent(t, strict)
	p := newPhone(t, a, "mine")
	noPlace := atHome
	noPlace.noPlace = true
	p.open(noPlace)
	if _, err := a.admit(p.at(where{ssid: "office", noPlace: true, net: hotel.net}), time.Now()); err != nil {
		t.Fatal(err)
	}
	p.later(2 * learningTime)
	p.renew()
	p.wants("with a place", p.open(atHome), allow, map[string]ecv.Verdict{"ssh": allow})
	if all := p.kept().Learned; len(all) != 2 || !accepted(all[:1]).Any(ecv.Geo) || accepted(all[1:]).Any(ecv.Geo) {
		t.Errorf("not learned: %+v", p.kept().Learned)
	}
	stale := atHome
	stale.age = time.Hour
	q := newPhone(t, a, "another")
	q.open(stale)
	if known := accepted(q.kept().Learned); known.Any(ecv.WiFi) || known.Any(ecv.Geo) || q.kept().Place != nil {
		t.Error("stale evidence was learned")
	}
}

// TestNoPolicy: without ecv the grant decides alone, and nothing of the surroundings is kept.
func TestNoPolicy(t *testing.T) {
	p := newPhone(t, newAgent(t, ""), "mine")
	r := p.open(sydney)
	p.wants("anywhere", r, allow, map[string]ecv.Verdict{"http": allow})
	if one := p.kept(); one.Learned != nil || one.Place != nil || one.LastUsed.IsZero() || r.Grant != nil {
		t.Errorf("kept %+v", one)
	}
}

// TestPolicyChanges: switched on, changed and switched off, the policy reaches the grant in the next session.
func TestPolicyChanges(t *testing.T) {
	a := newAgent(t, "")
	p := newPhone(t, a, "mine")
	p.open(atHome)
	restart := func(yaml string) {
		t.Helper()
		dir := p.a.cfg.dir
		p.a.close()
		p.a = startAgent(t, dir, yaml)
	}
	p.later(2 * learningTime)
	restart(strict)
	p.wants("switched on", p.open(atHome), stepUp, map[string]ecv.Verdict{"http": stepUp})
	if _, err := p.a.admit(p.at(atHome), time.Now()); err != nil { // as after a confirmation
		t.Fatal(err)
	}
	for _, change := range []struct{ yaml, policy string }{
		{strict, "allow=60"}, {"ecv: {allow: 70}", "allow=70"}, {"", ""},
	} {
		restart(change.yaml)
		p.wants(change.yaml, p.open(atHome), allow, nil)
		p.renew()
		policy := ""
		if p.device.Grant.Policy != nil {
			policy = "allow=" + itoa(p.device.Grant.Policy.Allow)
		}
		if policy != change.policy {
			t.Errorf("%q: the grant's policy is %q", change.yaml, policy)
		}
	}
}

// TestOldEvidence: what a tunnel has shown at its start is as good when the relay says hours later that the
// device has moved. Nothing is learned from it then, but by a person's word.
func TestOldEvidence(t *testing.T) {
	a := newAgent(t, strict)
	p := newKnownPhone(t, a)
	then := where{ssid: "kitchen", lat: 52.52, lon: 13.405, net: hotel.net, age: 3 * time.Hour}
	moved := p.at(then)
	moved.Again, moved.EvidenceAt = true, time.Now().Add(-then.age)
	p.later(day)
	place := p.kept().Place
	p.wants("moved", a.judge(moved), allow, map[string]ecv.Verdict{"http": allow, "ssh": allow})
	if p.kept().Place != place {
		t.Error("the router takes the device to be where it was hours ago")
	}
	moved.EvidenceAt = time.Now()
	p.wants("old when it was shown", a.judge(moved), allow, map[string]ecv.Verdict{"http": stepUp, "ssh": stepUp})

	strange := p.at(where{ssid: "hotel", lat: hotel.lat, lon: hotel.lon, age: then.age})
	strange.EvidenceAt = time.Now().Add(-then.age)
	if _, err := a.admit(strange, time.Now()); err != nil || !accepted(p.kept().Learned).Has(ecv.WiFi, ecv.WiFiTagID(p.secret, *strange.Evidence.WiFi)) {
		t.Errorf("what was confirmed is not learned: %v", err)
	}
}

// TestPlaceGoesNotBack: where a device was seen last is not where another of its tunnels was before.
func TestPlaceGoesNotBack(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, strict))
	p.wants("now", p.open(atHome), allow, nil)
	before := atHome
	before.lon, before.age = atHome.lon+0.05, 10*time.Minute
	p.wants("ten minutes ago", p.open(before), allow, nil)
	if p.kept().Place.Cell != p.at(atHome).Evidence.Place.Cell {
		t.Error("the older place was kept")
	}
}

// TestLimitedByRelay: a session that the relay limits is served nothing that would break off. The device gets
// the grant by which the relay lets it in, if there is one, and learns whose limits they are.
func TestLimitedByRelay(t *testing.T) {
	a := newAgent(t, strict)
	p := newKnownPhone(t, a)
	open := func(w where) tunnel.Ruling {
		c := p.at(w)
		c.Vouched.Limited = true
		return a.judge(c)
	}
	if _, err := a.admit(p.at(hotel), time.Now()); err != nil { // the phone did not get the answer
		t.Fatal(err)
	}
	for _, fresh := range []bool{true, false} {
		r := open(hotel)
		p.wants("limited", r, stepUp, map[string]ecv.Verdict{"http": stepUp, "status": stepUp, service.NamePersonal: stepUp, service.NameUnpair: allow})
		if (r.Grant != nil) != fresh || r.Reasons[len(r.Reasons)-1] != ecv.RelayLimited {
			t.Errorf("grant %t, want %t; reasons %v", r.Grant != nil, fresh, r.Reasons)
		}
		entries := a.journal.Entries(p.id.DeviceID(), time.Time{})
		if last := entries[len(entries)-1]; last.Verdict != "step_up" || !slices.Contains(last.Reasons, string(ecv.RelayLimited)) {
			t.Errorf("journal: %+v", last)
		}
		if fresh {
			p.stored = r.Grant
			p.renew()
		}
	}
	p.wants("no longer limited", p.open(hotel), allow, map[string]ecv.Verdict{"http": allow})
	if r := open(where{ssid: "station", noPlace: true}); r.Services["http"] != stepUp {
		t.Errorf("strange, and limited: %+v", r)
	}
}

// TestLimitedWithoutPolicy: ecv was switched off, and the relay judges by the old grant for the last time.
func TestLimitedWithoutPolicy(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, strict))
	dir := p.a.cfg.dir
	p.a.close()
	p.a = startAgent(t, dir, "")
	c := p.at(sydney)
	c.Vouched.Limited = true
	r := p.a.judge(c)
	p.wants("limited", r, stepUp, map[string]ecv.Verdict{"http": stepUp, service.NameUnpair: allow})
	if r.Grant == nil {
		t.Error("there is no fresh grant")
	}
}

// TestUnreadablePIN: it is offered to nobody, and the log says so once.
func TestUnreadablePIN(t *testing.T) {
	var said bytes.Buffer
	a := newAgent(t, strict)
	a.log = slog.New(slog.NewTextHandler(&said, nil))
	p := newKnownPhone(t, a)
	if err := a.cfg.SetPIN(testPIN); err != nil {
		t.Fatal(err)
	}
	if !p.open(sydney).PIN {
		t.Error("the PIN is not offered")
	}
	write(t, a.cfg.path(pinFile), "{", 0o600)
	for range 3 {
		if p.open(sydney).PIN {
			t.Error("a PIN is offered that can't be checked")
		}
	}
	if n := strings.Count(said.String(), "the PIN can't be read"); n != 1 {
		t.Errorf("said %d times in\n%s", n, said.String())
	}
}

// TestOldTunnel: a tunnel from before a new pairing is good for nothing, and gets no grant.
func TestOldTunnel(t *testing.T) {
	a := newAgent(t, strict)
	p := newKnownPhone(t, a)
	before := p.at(atHome)
	o, err := a.pairing.open(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.pair(o.uri.Secret, "mine"); err != nil {
		t.Fatal(err)
	}
	if r := a.judge(before); r.Verdict != deny || r.Grant != nil {
		t.Errorf("the old tunnel: %+v", r)
	}
	if _, err := a.confirm(t.Context(), before, "918273"); !isRefused(err, "grant_revoked") {
		t.Errorf("the old tunnel confirms: %v", err)
	}
	if grant, err := a.remember(before, true, time.Now()); grant != nil || err != nil || len(p.kept().Learned) > 0 {
		t.Errorf("the old tunnel teaches: %x, %v", grant, err)
	}
	if a.devices.stillGood(p.id.DeviceID(), before.Device.Grant.Serial) || !a.devices.stillGood(p.id.DeviceID(), p.device.Grant.Serial) {
		t.Error("streams of the old tunnel are taken, or those of the new are not")
	}
	p.wants("the new pairing", p.open(atHome), allow, nil)
}

// TestUnknownDevice: who is not on the list gets nothing, and is not written down.
func TestUnknownDevice(t *testing.T) {
	a := newAgent(t, strict)
	p := newKnownPhone(t, a)
	mustNotFail(t, a.manage(service.ManageRequest{Do: "revoke", Device: "mine"}, administrator))
	before := len(a.journal.Entries(p.id.DeviceID(), time.Time{}))
	if r := a.judge(p.at(atHome)); r.Verdict != deny || r.Grant != nil || r.Services != nil {
		t.Errorf("%+v", r)
	}
	if after := len(a.journal.Entries(p.id.DeviceID(), time.Time{})); after != before {
		t.Errorf("%d entries more", after-before)
	}
	if r := a.judge(tunnel.Case{}); r.Verdict != deny {
		t.Errorf("no device at all: %+v", r)
	}
}

// BenchmarkJudge is one tunnel's judgement with all that hangs on it, but no fresh grant; rule is the decision alone.
func BenchmarkJudge(b *testing.B) {
	a := newAgent(b, strict)
	p := newKnownPhone(b, a)
	for i := range maxSurroundings - 1 { // as many as are kept
		if _, err := a.admit(p.at(where{ssid: "hotel " + itoa(uint16(i)), lat: float64(i), lon: 20, net: hotel.net}), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	one := p.kept()
	raw, err := a.issuer.sign(one, p.device.Key, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	p.stored = raw
	c := p.renew().at(where{ssid: "kitchen", noPlace: true, net: atHome.net})
	if r := a.judge(c); r.Verdict != allow || r.Grant != nil {
		b.Fatalf("%+v", r)
	}
	b.Run("rule", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			a.rule(c, one, time.Now())
		}
	})
	b.Run("judge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			a.judge(c)
		}
	})
}

// TestAccountsSwitchedOn: once the relay has an account system, a device's key is nobody's account any more, even
// where the router has learned it as one.
func TestAccountsSwitchedOn(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, strict+"  mandatory: [account]\n"))
	p.wants("before", p.open(atHome), allow, map[string]ecv.Verdict{"http": allow})
	c := p.at(atHome)
	c.Vouched.Accounts = true
	alice := ecv.ObservationKey(p.secret).TagID(ecv.Account, ecv.OIDCAccount("https://login.example", "alice"))
	for name, account := range map[string]ecv.TagID{"no login": {}, "an account that was never learned": alice} {
		c.Vouched.Account = account
		p.wants(name, p.a.judge(c), allow, map[string]ecv.Verdict{"http": stepUp})
	}
	if _, err := p.a.admit(c, time.Now()); err != nil { // alice is confirmed
		t.Fatal(err)
	}
	c.Vouched.Account = alice
	if _, err := p.a.admit(c, time.Now()); err != nil {
		t.Fatal(err)
	}
	p.wants("a learned account", p.a.judge(c), allow, map[string]ecv.Verdict{"http": allow})
	c.Vouched.Account = ecv.TagID{}
	p.wants("logged out", p.a.judge(c), allow, map[string]ecv.Verdict{"http": stepUp})
}

// TestFarewells: whoever has the key may give it up, and have himself forgotten, where he may see nothing.
func TestFarewells(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, "ecv: {allow: 75}"))
	open := map[string]ecv.Verdict{
		service.NameUnpair: allow, service.NameForget: allow, service.NamePersonal: stepUp, service.NameStatus: stepUp,
	}
	p.wants("elsewhere", p.open(hotel), stepUp, open)
	c := p.at(atHome)
	c.Vouched.Limited = true
	p.wants("limited by the relay", p.a.judge(c), stepUp, open)
}
