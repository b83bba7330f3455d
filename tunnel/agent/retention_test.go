package agent

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func itoa64(n uint64) string { return strconv.FormatUint(n, 10) }

// TestRetention: everything goes when its time is over, without anybody asking for it, and nothing before.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t, strict+"retention: {log: 10d, environments: 20d}\n")
		ctx, stop := context.WithCancel(t.Context())
		a.streams.Go(func() { a.retain(ctx) })
		defer a.streams.Wait()
		defer stop()
		p := newPhone(t, a, "mine")
		p.open(atHome)
		p.renew()
		guest := newMember(t, a, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: 30 * day})
		a.invite(t, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Accept: day}, administrator)

		const slack = 2 * pruneEvery
		time.Sleep(10*day - slack)
		if len(a.journal.Entries(p.id.DeviceID(), time.Time{})) == 0 {
			t.Error("decisions are forgotten too early")
		}
		synctest.Wait()
		if len(a.invitations.all) != 0 {
			t.Error("an expired invitation is kept")
		}
		time.Sleep(2 * slack)
		if left := a.journal.Entries(auth.DeviceID{}, time.Time{}); len(left) != 0 {
			t.Errorf("decisions of ten days ago: %+v", left)
		}
		p.open(where{ssid: "station", noPlace: true, net: "203.0.113.77"}) // elsewhere: home is not seen again
		time.Sleep(10*day - 2*slack)
		if one := p.kept(); len(one.Learned) != 1 || one.Place == nil {
			t.Error("surroundings are forgotten too early")
		}
		time.Sleep(2 * slack)
		if one := p.kept(); len(one.Learned) != 0 || one.Place != nil {
			t.Errorf("surroundings of twenty days ago: %+v, %v", one.Learned, one.Place)
		}
		p.wants("at home, which is forgotten", p.open(atHome), stepUp, map[string]ecv.Verdict{"http": stepUp})
		time.Sleep(10*day + slack)
		if _, known := a.devices.get(guest.id.DeviceID()); known {
			t.Error("a device is kept whose access has ended")
		}
		synctest.Wait()
		if len(a.devices.grants) > 1 {
			t.Errorf("revocations of what has expired: %+v", a.devices.grants)
		}
	})
}

// TestRetentionInUse: what a device is seen in again is kept.
func TestRetentionInUse(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, strict))
	for range 5 {
		p.later(60 * day)
		p.a.prune(time.Now())
		p.wants("two months later", p.open(atHome), allow, map[string]ecv.Verdict{"ssh": allow})
	}
}

// TestClockJumps: a clock that has been set is not believed at once.
func TestClockJumps(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		elapsed time.Duration // on the wall; an hour has really passed
		want    bool
	}{
		"runs": {time.Hour, false}, "is a little slow": {time.Hour - time.Minute, false},
		"to a far year": {75 * 365 * day, true}, "to 1970": {-56 * 365 * day, true}, "back an hour": {0, true},
	} {
		// There is no making a time whose two readings differ: the difference between the two is what counts.
		if got := wasSet(test.elapsed, time.Hour); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if jumped(now, time.Now()) {
		t.Error("this machine's clock jumps")
	}
}

// TestNotForgottenAtStart: a router that has just started forgets nothing by a clock that may be wrong.
func TestNotForgottenAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t, strict)
		guest := newMember(t, a, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: time.Minute})
		time.Sleep(day)
		ctx, stop := context.WithCancel(t.Context())
		a.streams.Go(func() { a.retain(ctx) })
		defer a.streams.Wait()
		defer stop()
		time.Sleep(steadyTime - time.Minute)
		if _, known := a.devices.get(guest.id.DeviceID()); !known {
			t.Error("forgotten at once")
		}
		time.Sleep(2 * pruneEvery)
		if _, known := a.devices.get(guest.id.DeviceID()); known {
			t.Error("never forgotten")
		}
	})
}

// TestLogSurvivesClock: the log, too, outlives a start with a clock that is far ahead.
func TestLogSurvivesClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t, strict)
		p := newPhone(t, a, "mine")
		a.close()
		time.Sleep(365 * day)
		p.a = startAgent(t, a.cfg.dir, strict)
		p.open(atHome)
		if got := p.events(); len(got) != 1 {
			t.Errorf("left: %v", got)
		}
	})
}

// TestDamagedLog: who starts the agent is told that lines of the log can't be read.
func TestDamagedLog(t *testing.T) {
	a := newAgent(t, "")
	write(t, a.cfg.path(journalFile), "torn\nand torn", 0o600)
	a.close()
	var said bytes.Buffer
	b, err := New(a.cfg, "v0", slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if !strings.Contains(said.String(), "can't be read\" lines=2") {
		t.Errorf("said %q", said.String())
	}
}

// TestLastUsedIsSaved: it is written at the end, if nothing else was.
func TestLastUsedIsSaved(t *testing.T) {
	a := newAgent(t, "")
	p := newPhone(t, a, "mine")
	p.open(atHome)
	a.close()
	p.a = startAgent(t, a.cfg.dir, "")
	if p.kept().LastUsed.IsZero() {
		t.Error("not saved")
	}
}

// TestSavedWithinTheHour: a power cut loses no more than that of when and where devices were last used.
func TestSavedWithinTheHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t, strict)
		p := newPhone(t, a, "mine")
		p.open(atHome)
		p.renew().open(hotel) // two sessions more than what is written at once
		ctx, stop := context.WithCancel(t.Context())
		a.streams.Go(func() { a.retain(ctx) })
		defer a.streams.Wait()
		defer stop()
		time.Sleep(pruneEvery)
		synctest.Wait()
		saved, err := loadDevices(a.cfg.path(devicesFile))
		if err != nil {
			t.Fatal(err)
		}
		if one := saved.byID[p.id.DeviceID()]; one.Place == nil || one.Place.Cell != p.at(hotel).Evidence.Place.Cell {
			t.Errorf("the last place on the disk: %+v", one.Place)
		}
	})
}

// TestInvitationsOfTheRemoved: if an invitation could not be dropped with its sharer, it goes later. It was good
// for nothing meanwhile.
func TestInvitationsOfTheRemoved(t *testing.T) {
	a := newAgent(t, strict)
	p := newPhone(t, a, "mine")
	secret := a.invite(t, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day}, p.asker())
	if _, err := a.devices.remove(p.id.DeviceID()); err != nil { // and then the power is cut
		t.Fatal(err)
	}
	if _, err := accept(t, a, secret); !errors.Is(err, auth.ErrPairingClosed) {
		t.Errorf("accepted: %v", err)
	}
	a.prune(time.Now())
	if left := a.invitations.list(); len(left) != 0 {
		t.Errorf("%d are left", len(left))
	}
}

// TestShortRetentionInUse: what is in use is not forgotten, however short it is kept.
func TestShortRetentionInUse(t *testing.T) {
	p := newKnownPhone(t, newAgent(t, strict+"retention: {environments: 2h}\n"))
	for range 6 {
		p.later(30 * time.Minute)
		p.wants("at home", p.open(atHome), allow, nil)
		p.a.prune(time.Now())
		if len(p.kept().Learned) != 1 {
			t.Fatal("surroundings in use are forgotten")
		}
	}
}
