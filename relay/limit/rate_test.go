package limit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// began is the start of every test's time.
func began() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// allowed returns how many of n events of key at now are within the limit.
func allowed[K comparable](r *Rate[K], key K, now time.Time, n int) (yes int) {
	for range n {
		if r.Take(key, now) == 0 {
			yes++
		}
	}
	return yes
}

func TestBurst(t *testing.T) {
	for _, tt := range []struct{ perMinute, burst int }{{600, 100}, {60, 10}, {30, 5}, {6, 5}, {1, 5}} {
		r := NewRate[string](tt.perMinute, 10)
		if got := allowed(r, "a", began(), 1000); got != tt.burst {
			t.Errorf("%d a minute: a burst of %d, want %d", tt.perMinute, got, tt.burst)
		}
		if got := allowed(r, "b", began(), 1000); got != tt.burst {
			t.Errorf("%d a minute: another key has a burst of %d, want %d", tt.perMinute, got, tt.burst)
		}
	}
}

func TestRefill(t *testing.T) {
	r, now := NewRate[string](60, 10), began() // one a second, bursts of ten
	allowed(r, "a", now, 100)
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{999 * time.Millisecond, 0}, {time.Millisecond, 1}, {3 * time.Second, 3}, {time.Hour, 10}} {
		now = now.Add(tt.after)
		if got := allowed(r, "a", now, 100); got != tt.want {
			t.Errorf("%v later: %d allowed, want %d", tt.after, got, tt.want)
		}
	}
}

// TestTurnForgetsNothingThatCounts: over many generations a key that keeps
// asking gets its rate and no more.
func TestTurnForgetsNothingThatCounts(t *testing.T) {
	r, got := NewRate[string](60, 10), 0
	const minutes = 10
	for i := range minutes * 60 * 4 { // four a second
		if r.Take("a", began().Add(time.Duration(i)*time.Second/4)) == 0 {
			got++
		}
	}
	if most := minutes*60 + 10; got > most || got < most-1 {
		t.Errorf("%d allowed in %d minutes, want %d", got, minutes, most)
	}
}

// TestRateAnyTimes: whenever a key asks, in any window it gets its burst and
// its rate at most.
func TestRateAnyTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, now := NewRate[int](60, 2), began()
		var yes []time.Time
		for _, gap := range rapid.SliceOfN(rapid.IntRange(0, 25_000), 1, 200).Draw(t, "gaps in ms") {
			now = now.Add(time.Duration(gap) * time.Millisecond)
			if r.Take(1, now) == 0 {
				yes = append(yes, now)
			}
			r.Take(rapid.IntRange(2, 5).Draw(t, "other key"), now)
		}
		for i := range yes {
			for j := i; j < len(yes); j++ {
				if most := 10 + yes[j].Sub(yes[i]).Seconds(); float64(j-i+1) > most+1e-6 {
					t.Fatalf("%d allowed in %v", j-i+1, yes[j].Sub(yes[i]))
				}
			}
		}
	})
}

// TestFlood: made-up keys take bounded memory, share one bucket, and do not
// cost a key in use its own.
func TestFlood(t *testing.T) {
	const keys = 100
	r, now := NewRate[int](60, keys), began()
	allowed(r, -1, now, 3) // in use: seven left
	flood := 0
	for key := range 50 * keys {
		if r.Take(key, now) == 0 {
			flood++
		}
	}
	if want := keys - 1 + 10; flood != want {
		t.Errorf("%d of the flood allowed, want %d: one for each bucket kept, and one shared burst", flood, want)
	}
	if n := len(r.young) + len(r.old); n > 2*keys {
		t.Errorf("%d buckets kept", n)
	}
	if got := allowed(r, -1, now, 100); got != 7 {
		t.Errorf("the key in use had %d left, want 7", got)
	}
}

func TestKeyInUseSurvivesATurn(t *testing.T) {
	r, now := NewRate[string](60, 10), began()
	r.Take("b", now) // the first turn
	now = now.Add(9 * time.Second)
	allowed(r, "a", now, 100) // empty
	now = now.Add(time.Second)
	if got := allowed(r, "a", now, 100); got != 1 {
		t.Errorf("%d allowed just after the turn, want 1", got)
	}
}

func TestUnusedKeysAreForgotten(t *testing.T) {
	for _, tt := range []struct {
		later time.Duration
		turns int
	}{{11 * time.Second, 2}, {time.Hour, 1}} {
		r, now := NewRate[int](60, 100), began()
		for key := range 100 {
			r.Take(key, now)
		}
		for range tt.turns {
			now = now.Add(tt.later)
			r.Take(-1, now)
		}
		if n := len(r.young) + len(r.old); n > 2 {
			t.Errorf("%d buckets are kept, of one key in use", n)
		}
	}
}

// TestFloodAfterATurn: a key that has spent its burst gets no second one because
// others have filled the new generation before it asks again.
func TestFloodAfterATurn(t *testing.T) {
	r, now := NewRate[int](60, 2), began()
	r.Take(2, now) // the first turn
	now = now.Add(9 * time.Second)
	allowed(r, 1, now, 100) // empty
	now = now.Add(time.Second)
	r.Take(2, now)
	r.Take(3, now)
	if got := allowed(r, 1, now, 100); got != 1 {
		t.Errorf("%d allowed a second after the burst, want 1", got)
	}
}
