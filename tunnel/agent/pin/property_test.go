package pin

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lethe-relay/lethe/auth"
)

// world is a router whose owner may switch it off, and whose wall clock may be behind.
type world struct {
	t       *rapid.T
	path    string
	checker *Checker
	passed  time.Duration // since the beginning, in truth
	behind  time.Duration // the wall clock, since the last start
	guesses map[auth.DeviceID][]time.Duration
	all     []time.Duration
}

func newWorld(t *testing.T, rt *rapid.T) *world {
	path := t.TempDir() + "/pin.json"
	cheapPIN(t, path, right)
	return &world{t: rt, path: path, checker: open(t, path), guesses: make(map[auth.DeviceID][]time.Duration)}
}

func (w *world) now() time.Time { return start.Add(w.passed - w.behind) }

func (w *world) restart(behind time.Duration) {
	var err error
	if w.checker, err = Open(w.path); err != nil {
		w.t.Fatal(err)
	}
	w.behind = behind
}

// wait draws how long nothing happens: often not at all, so that locks fill up.
func (w *world) wait() {
	w.passed += rapid.SampledFrom([]time.Duration{
		0, 0, 0, 0, time.Second, 10 * time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour,
	}).Draw(w.t, "wait")
}

// guess tries wrong PINs as one device until it is refused, or a few times.
func (w *world) guess() {
	device := auth.DeviceID{byte(rapid.IntRange(1, 8).Draw(w.t, "device"))}
	for range rapid.IntRange(1, 6).Draw(w.t, "guesses") {
		err := w.checker.Check(device, wrong, w.now())
		if locked := new(LockedError); errors.As(err, &locked) {
			if !locked.Until.After(w.now()) {
				w.t.Fatal("locked until a time that is over")
			}
			return
		}
		if !errors.Is(err, ErrWrong) {
			w.t.Fatal(err)
		}
		w.guesses[device] = append(w.guesses[device], w.passed)
		w.all = append(w.all, w.passed)
	}
}

// most returns the largest number of guesses in any span of time.
func most(guesses []time.Duration, span time.Duration) (n int) {
	from := 0
	for to := range guesses {
		for guesses[to]-guesses[from] >= span {
			from++
		}
		n = max(n, to-from+1)
	}
	return n
}

// allowed is how many guesses a device may have made a while after its first.
func allowed(passed time.Duration) int {
	switch {
	case passed < 15*time.Minute:
		return 5
	case passed < 75*time.Minute:
		return 10
	}
	return 15 + 5*int((passed-75*time.Minute)/(24*time.Hour))
}

// Whatever is tried in whatever order, with restarts anywhere, a device has 15
// guesses in any day, and all have 30 in any hour.
func TestGuessesAreBounded(t *testing.T) {
	fullest := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt)
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			w.wait()
			if rapid.IntRange(0, 4).Draw(rt, "restart") == 0 {
				w.restart(0)
			}
			w.guess()
		}
		for device, guesses := range w.guesses {
			if n := most(guesses, 24*time.Hour); n > 15 {
				rt.Errorf("%v made %d guesses in a day", device.Short(), n)
			}
		}
		n := most(w.all, time.Hour)
		if fullest = max(fullest, n); n > 30 {
			rt.Errorf("%d guesses in an hour", n)
		}
	})
	if fullest < 15 {
		t.Errorf("the fullest hour had %d guesses: the test tries too little", fullest)
	}
}

// A wall clock that is behind, by whatever at each start, gives a device no guess more than
// the time that has passed allows; and whatever has happened, after a day of running all is open.
func TestClockBehindGivesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt)
		w.guess() // the clock was right once
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			w.wait()
			if rapid.Bool().Draw(rt, "restart") {
				w.restart(rapid.SampledFrom([]time.Duration{0, time.Hour, 24 * time.Hour, 30 * 24 * time.Hour, 56 * 365 * 24 * time.Hour}).Draw(rt, "behind"))
			}
			w.guess()
		}
		for device, guesses := range w.guesses {
			for i, at := range guesses {
				if n := allowed(at); i+1 > n {
					rt.Fatalf("%v made guess %d after %v, when %d are allowed", device.Short(), i+1, at, n)
				}
			}
		}
		w.passed += 24 * time.Hour
		for device := range w.guesses {
			if err := w.checker.Check(device, right, w.now()); err != nil {
				rt.Fatalf("a day later: %v", err)
			}
		}
	})
}
