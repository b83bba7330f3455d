package forward

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNewRate(t *testing.T) {
	for _, tt := range []struct {
		bits uint64
		want rate
	}{
		{0, rate{}},
		{7, rate{}}, // less than a byte is none: the configuration takes no such rate
		{64_000, rate{perSecond: 8000, burst: 64 << 10}},
		{100_000_000, rate{perSecond: 12_500_000, burst: 1_250_000}},
		{100_000_000_000, rate{perSecond: 12_500_000_000, burst: 1_250_000_000}},
	} {
		if got := newRate(tt.bits); got != tt.want {
			t.Errorf("%d bit/s: %+v, want %+v", tt.bits, got, tt.want)
		}
	}
}

// TestRateLine: also after ten years at the highest rate, nothing wraps around.
func TestRateLine(t *testing.T) {
	r := newRate(100_000_000_000)
	const year = 365 * 24 * time.Hour
	for now, want := range map[time.Duration]int64{
		0:                       r.burst,
		time.Nanosecond:         r.burst + 12,
		1500 * time.Millisecond: r.burst + 18_750_000_000,
		10*year + 999_999_999:   r.burst + int64(10*year/time.Second)*12_500_000_000 + 12_499_999_987,
	} {
		if got := r.line(now); got != want {
			t.Errorf("at %v: %d, want %d", now, got, want)
		}
	}
}

func TestRateTake(t *testing.T) {
	r := rate{perSecond: 1000, burst: 3000}
	const line = 10_000
	for _, tt := range []struct {
		name           string
		paid           int64
		n, piece       int
		want           int
		paidAfterwards int64
	}{
		{"all of it", 9000, 1000, 100, 1000, 10_000},
		{"one byte too much", 9000, 1001, 1001, 0, 9000},
		{"whole pieces", 9000, 2000, 300, 900, 9900},
		{"the short last piece fits with the others only", 9000, 950, 300, 950, 9950},
		{"nothing", 10_000, 1, 1, 0, 10_000},
		{"a pause fills it to the burst and no further", 0, 4000, 100, 3000, 10_000},
		{"ahead of the line, as another clock had it", 20_000, 100, 100, 0, 20_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bucket
			b.paid.Store(tt.paid)
			if got := r.take(&b, line, tt.n, tt.piece); got != tt.want || b.paid.Load() != tt.paidAfterwards {
				t.Errorf("took %d, paid %d; want %d, %d", got, b.paid.Load(), tt.want, tt.paidAfterwards)
			}
		})
	}
}

// TestRateHolds: over any time, whatever comes, no more passes than rate and burst
// allow; and nearly that much, if there is always more.
func TestRateHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRate(rapid.Uint64Range(64_000, 10_000_000_000).Draw(t, "bits"))
		var b bucket
		var now time.Duration
		var took, asked int64
		for range 200 {
			now += time.Duration(rapid.IntRange(0, 1e7).Draw(t, "pause"))
			n := rapid.IntRange(1, 1<<16-1).Draw(t, "bytes")
			asked += int64(n)
			took += int64(r.take(&b, r.line(now), n, rapid.IntRange(1, 1500).Draw(t, "piece")))
		}
		if most := r.line(now); took > most {
			t.Fatalf("%d bytes passed in %v, %d are allowed", took, now, most)
		}
		if least := min(asked, int64(now.Seconds()*float64(r.perSecond))/2-1<<16); took < least {
			t.Fatalf("only %d of %d bytes passed in %v", took, asked, now)
		}
	})
}
