package pin

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

func TestClock(t *testing.T) {
	at := func(hours ...time.Duration) (all []time.Time) {
		for _, h := range hours {
			all = append(all, start.Add(h*time.Hour))
		}
		return all
	}
	for name, c := range map[string]struct {
		stored time.Time
		now    []time.Time // the wall clock at each tick
		want   time.Duration
	}{
		"the first start":              {time.Time{}, at(0), 0},
		"running":                      {time.Time{}, at(0, 1, 3), 3},
		"off for a while":              {start, at(5, 6), 6},
		"set back while it runs":       {start, at(0, 2, 1, 2), 3},
		"set back before the start":    {start, at(-1000, -999), 1},
		"set back far, then much time": {start, at(-1000, -976), 24},
		"no clock yet":                 {start, []time.Time{time.Unix(0, 0), time.Unix(3600, 0)}, 1},
	} {
		clock := clock{at: c.stored}
		for _, now := range c.now {
			clock.tick(now)
		}
		if want := start.Add(c.want * time.Hour); !clock.at.Equal(want) {
			t.Errorf("%s: %v, want %v", name, clock.at, want)
		}
	}
}

// TestClockIsMonotonic: with time.Now the wall clock's part of the time is not looked at.
func TestClockIsMonotonic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock
		c.tick(time.Now())
		before := c.at
		time.Sleep(time.Hour)
		c.tick(time.Now())
		if passed := c.at.Sub(before); passed != time.Hour {
			t.Errorf("%v have passed", passed)
		}
		if c.at != c.at.Round(0) {
			t.Error("the clock carries a monotonic reading, which counts twice")
		}
	})
}

// TestClockSetBack: the lock is neither opened by a router that wakes up
// without a clock and finds it later, nor closed for longer than it was meant.
func TestClockSetBack(t *testing.T) {
	c, path := newCase(t)
	for i := range 3 {
		wantWrong(t, c, phone, start.Add(time.Duration(i)*2*time.Hour), 5)
	}
	set := start.Add(4 * time.Hour) // locked for a day from here
	epoch := time.Unix(0, 0).UTC()
	c = open(t, path)
	wantLocked(t, c, phone, epoch, epoch.Add(24*time.Hour))
	wantLocked(t, c, phone, epoch.Add(10*time.Hour), epoch.Add(24*time.Hour)) // which is stored
	wantWrong(t, c, laptop, epoch.Add(10*time.Hour), 1)
	c = open(t, path)
	wantLocked(t, c, phone, set.Add(10*time.Hour), set.Add(24*time.Hour)) // the clock is right again

	c = open(t, path)
	wantLocked(t, c, phone, epoch, epoch.Add(14*time.Hour))
	wantRight(t, c, phone, epoch.Add(14*time.Hour))
}

// TestRestartsLoseLittle: a router without a clock, switched off again and
// again, gets to the end of a lock.
func TestRestartsLoseLittle(t *testing.T) {
	c, path := newCase(t)
	for i := range 3 {
		wantWrong(t, c, phone, start.Add(time.Duration(i)*2*time.Hour), 5)
	}
	epoch := time.Unix(0, 0)
	for range 24*4 - 1 {
		c = open(t, path)
		c.Check(phone, wrong, epoch)
		if err := c.Check(phone, wrong, epoch.Add(storeEvery)); err == nil {
			t.Fatal("a wrong PIN is right")
		}
	}
	wantLocked(t, c, phone, epoch.Add(storeEvery), epoch.Add(2*storeEvery))
	wantRight(t, open(t, path), auth.DeviceID{3}, epoch)
	wantRight(t, c, phone, epoch.Add(2*storeEvery))
}

// TestClockAhead: a clock that is ahead at a start opens what would be open
// then, and no more when it is ahead at the next start.
func TestClockAhead(t *testing.T) {
	c, path := newCase(t)
	wantWrong(t, c, phone, start, 5)
	ahead := start.AddDate(10, 0, 0)
	c = open(t, path)
	wantWrong(t, c, phone, ahead, 5)
	for range 3 {
		c = open(t, path)
		wantLocked(t, c, phone, ahead, ahead.Add(time.Hour))
		c = open(t, path)
		wantLocked(t, c, phone, start, start.Add(time.Hour))
	}
}
