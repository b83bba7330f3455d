package agent

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
	"github.com/lethe-relay/lethe/tunnel/service"
)

const testPIN = "918273"

// events are what the journal has about the phone, but for sessions and repetitions.
func (p *phone) events() (found []journal.Event) {
	for _, e := range p.a.journal.Entries(p.id.DeviceID(), time.Time{}) {
		if e.Event != journal.Opened {
			found = append(found, e.Event)
		}
	}
	return slices.Compact(found) // the journal counts repetitions in one entry, or not
}

// TestConfirmWithPIN: the right PIN lets a phone in where it is, from then on, and nowhere else.
func TestConfirmWithPIN(t *testing.T) {
	a := newAgent(t, strict)
	p := newKnownPhone(t, a)
	p.wants("in the hotel", p.open(hotel), allow, map[string]ecv.Verdict{"http": stepUp, "status": allow})
	if _, err := a.confirm(t.Context(), p.at(hotel), testPIN); !isRefused(err, "pin_not_set") {
		t.Errorf("without a PIN: %v", err)
	}
	if err := a.cfg.SetPIN(testPIN); err != nil {
		t.Fatal(err)
	}
	if _, err := a.confirm(t.Context(), p.at(hotel), "000001"); !isRefused(err, "pin_wrong") {
		t.Errorf("a wrong PIN: %v", err)
	}
	if len(p.kept().Learned) != 1 {
		t.Error("a wrong PIN teaches")
	}
	r, err := a.confirm(t.Context(), p.at(hotel), testPIN)
	if err != nil || r.Grant == nil {
		t.Fatalf("the right PIN: %+v, %v", r, err)
	}
	p.wants("the answer", r, allow, map[string]ecv.Verdict{"http": allow, "ssh": allow})
	p.stored = r.Grant
	p.renew()
	p.wants("in the hotel again", p.open(hotel), allow, map[string]ecv.Verdict{"http": allow})
	p.wants("at home", p.open(atHome), allow, map[string]ecv.Verdict{"http": allow})
	elsewhere := where{ssid: "station", lat: 53.55, lon: 10.0, net: "203.0.113.77"}
	p.later(24 * time.Hour)
	p.wants("elsewhere", p.open(elsewhere), allow, map[string]ecv.Verdict{"http": stepUp})
	want := []journal.Event{journal.Paired, journal.ConfirmFailed, journal.Confirmed}
	if got := p.events(); !slices.Equal(got, want) {
		t.Errorf("journal: %v, want %v", got, want)
	}
}

// TestPINGuessing: five wrong PINs lock the device out; the right one is not looked at then, nor after a
// restart. Another device is not locked.
func TestPINGuessing(t *testing.T) {
	a := newAgent(t, strict)
	p, other := newKnownPhone(t, a), newPhone(t, a, "other")
	if err := a.cfg.SetPIN(testPIN); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		if _, err := a.confirm(t.Context(), p.at(sydney), "10000"+itoa(uint16(n))); !isRefused(err, "pin_wrong") {
			t.Fatalf("guess %d: %v", n, err)
		}
	}
	for range 2 {
		var refused *tunnel.RefusedError
		_, err := p.a.confirm(t.Context(), p.at(sydney), testPIN)
		if !errors.As(err, &refused) || refused.Code != "pin_locked" || refused.RetryAfter < 10*time.Minute {
			t.Errorf("the right PIN after five wrong ones: %+v", err)
		}
		if len(p.kept().Learned) != 1 {
			t.Error("it teaches")
		}
		p.a.close()
		p.a = startAgent(t, a.cfg.dir, strict)
	}
	other.a = p.a
	if _, err := other.a.confirm(t.Context(), other.at(hotel), testPIN); err != nil {
		t.Errorf("another device: %v", err)
	}
}

// TestDeniedIsNotConfirmed: below step_up there is nothing to confirm, and the PIN is not looked at.
func TestDeniedIsNotConfirmed(t *testing.T) {
	a := newAgent(t, "ecv: {allow: 60, step_up: 50}")
	p := newKnownPhone(t, a)
	if err := a.cfg.SetPIN(testPIN); err != nil {
		t.Fatal(err)
	}
	if _, err := a.confirm(t.Context(), p.at(where{noPlace: true}), testPIN); !isRefused(err, "env_denied") {
		t.Errorf("got %v", err)
	}
}

// TestConfirmTooLittle: a confirmation that leaves the score too low is learned, and says so.
func TestConfirmTooLittle(t *testing.T) {
	a := newAgent(t, "ecv: {allow: 60}")
	p := newKnownPhone(t, a)
	if err := a.cfg.SetPIN(testPIN); err != nil {
		t.Fatal(err)
	}
	little := where{noPlace: true, net: hotel.net}
	r, err := a.confirm(t.Context(), p.at(little), testPIN)
	if err != nil || r.Verdict != stepUp || !slices.Contains(r.Reasons, ecv.ScoreLow) || r.Grant == nil {
		t.Errorf("%+v, %v", r, err)
	}
}

// asking asks for approval until ctx ends; what comes of it is in the result.
func (p *phone) asking(ctx context.Context, w where) <-chan error {
	done := make(chan error, 1)
	c := p.at(w)
	go func() {
		_, err := p.a.confirm(ctx, c, "")
		done <- err
	}()
	synctest.Wait()
	return done
}

// inTime runs a test in which time passes only when all wait.
func inTime(t *testing.T, test func(t *testing.T, a *Agent)) {
	synctest.Test(t, func(t *testing.T) { test(t, newAgent(t, strict)) })
}

// TestApproval: an owner lets a phone in, or not; nobody lets himself in; and a question that nobody waits for
// any more can't be answered.
func TestApproval(t *testing.T) {
	inTime(t, func(t *testing.T, a *Agent) {
		p, laptop := newKnownPhone(t, a), newPhone(t, a, "laptop")
		owner := asker{laptop.id.DeviceID(), auth.RoleOwner}
		approve := service.ManageRequest{Do: "approve", Device: "mine"}
		mustFail(t, a.manage(approve, owner), "does not wait")

		refused := p.asking(t.Context(), hotel)
		answer := mustNotFail(t, a.manage(service.ManageRequest{Do: "waiting"}, owner))
		if len(answer.Waiting) != 1 || answer.Waiting[0].ID != p.id.DeviceID() || !slices.Contains(answer.Waiting[0].Reasons, "wifi_unknown") {
			t.Errorf("waiting: %+v", answer.Waiting)
		}
		mustFail(t, a.manage(approve, asker{p.id.DeviceID(), auth.RoleOwner}), "can't approve itself")
		mustFail(t, a.manage(approve, asker{laptop.id.DeviceID(), auth.RoleAdmin}), "only owners")
		mustNotFail(t, a.manage(service.ManageRequest{Do: "reject", Device: "mine"}, owner))
		if err := <-refused; !isRefused(err, "not_approved") || len(p.kept().Learned) != 1 {
			t.Errorf("rejected: %v, %d environments", err, len(p.kept().Learned))
		}

		ctx, giveUp := context.WithCancel(t.Context())
		givenUp := p.asking(ctx, hotel)
		giveUp()
		if err := <-givenUp; !isRefused(err, "not_approved") {
			t.Errorf("given up: %v", err)
		}
		mustFail(t, a.manage(approve, owner), "does not wait")

		first := p.asking(t.Context(), sydney)
		second := p.asking(t.Context(), hotel)
		if err := <-first; !isRefused(err, "not_approved") {
			t.Errorf("asked again: %v", err)
		}
		mustNotFail(t, a.manage(approve, owner))
		if err := <-second; err != nil {
			t.Fatal(err)
		}
		known := accepted(p.kept().Learned)
		if !known.Has(ecv.WiFi, ecv.WiFiTagID(p.secret, *p.at(hotel).Evidence.WiFi)) || known.Has(ecv.WiFi, ecv.WiFiTagID(p.secret, *p.at(sydney).Evidence.WiFi)) {
			t.Error("not what was approved is learned")
		}
		entries := a.journal.Entries(p.id.DeviceID(), time.Time{})
		if last := entries[len(entries)-1]; last.Event != journal.Confirmed || last.By != laptop.id.DeviceID() {
			t.Errorf("journal: %+v", last)
		}
	})
}

// TestApprovalTakesLong: what was fresh when the phone asked is learned, however long the owner takes.
func TestApprovalTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t, strict)
		p := newKnownPhone(t, a)
		waits := p.asking(t.Context(), hotel)
		time.Sleep(3 * time.Hour)
		mustNotFail(t, a.manage(service.ManageRequest{Do: "approve", Device: "mine"}, administrator))
		if err := <-waits; err != nil {
			t.Fatal(err)
		}
		p.renew()
		p.wants("in the hotel", p.open(hotel), allow, map[string]ecv.Verdict{"http": allow})
	})
}

// TestApprovalOfTheRevoked: who is revoked while he waits is not let in.
func TestApprovalOfTheRevoked(t *testing.T) {
	inTime(t, func(t *testing.T, a *Agent) {
		p := newKnownPhone(t, a)
		waits := p.asking(t.Context(), hotel)
		d := p.kept()
		mustNotFail(t, a.revoke(d, administrator, false))
		a.approvals.decide(d.ID, decision{approved: true})
		if err := <-waits; !isRefused(err, "grant_revoked") {
			t.Errorf("got %v", err)
		}
	})
}

// lateWord is a context that ends at the moment at which an owner decides.
type lateWord struct {
	context.Context
	decide func()
}

func (c lateWord) Done() <-chan struct{} {
	c.decide()
	return c.Context.Done()
}

// TestApprovalAtTheEnd: an owner who was told that his word counts is not told so for nothing.
func TestApprovalAtTheEnd(t *testing.T) {
	p, mine := &approvals{waiting: make(map[auth.DeviceID]*waiting)}, auth.DeviceID{1}
	ended, end := context.WithCancel(t.Context())
	end()
	for range 50 { // either could be looked at first
		ctx := lateWord{ended, func() { p.decide(mine, decision{approved: true, by: auth.DeviceID{2}}) }}
		if by, err := p.wait(ctx, mine, nil); err != nil || by != (auth.DeviceID{2}) {
			t.Fatalf("by %v: %v", by, err)
		}
	}
}
