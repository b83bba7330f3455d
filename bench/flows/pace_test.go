package flows

import (
	"testing"
	"time"
)

// TestPace: what is due is due, and what is too late is left out once and for all.
func TestPace(t *testing.T) {
	began := time.Now()
	p := pace{perSecond: 100_000, began: began}
	for _, c := range []struct {
		at   time.Duration
		sent uint64
		want int
	}{
		{0, 0, 0},
		{100 * time.Microsecond, 0, 10},
		{100 * time.Microsecond, 10, 0},
		{300 * time.Microsecond, 10, 20},
		{300 * time.Microsecond, 40, 0}, // ahead
		{time.Second, 40, 50},           // most of them are left out
		{time.Second + 100*time.Microsecond, 90, 10},
	} {
		if got := p.due(began.Add(c.at), c.sent); got < c.want-1 || got > c.want { // floating point
			t.Errorf("after %v with %d sent, %d are due, want %d", c.at, c.sent, got, c.want)
		}
	}
}
