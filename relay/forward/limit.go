package forward

import (
	"math"
	"sync/atomic"
	"time"
)

// limit is how much a session may carry, and until when. It is never changed,
// only replaced; a session without one has nil.
//
// Both legs take from one counter, so their sum is right whichever loops carry
// them. That counter is shared between loops, which would cost at line rate; a
// session with a limit never gets far enough for it to matter.
type limit struct {
	// static
	bytes uint64    // that both legs together may carry
	until time.Time // the session ends then; zero: it doesn't

	// written by the loops
	used atomic.Uint64 // above bytes: a message did not fit, and none is carried since
}

// Limit lets the two legs together carry no more than so many bytes of payload
// from now on, and ends the session with [EndLimited] when they are used up or
// when it is until. A message that does not fit is dropped and uses up the rest:
// so no byte more is carried, but up to a message less, which is 64 KiB at most.
//
// Zero bytes set no limit in bytes, a zero until none in time. The newest call
// counts and starts anew, so Limit(0, time.Time{}) lifts both. It takes no
// lock: any goroutine may call it at any time, a hook too.
func (s *Session) Limit(bytes uint64, until time.Time) {
	if bytes == 0 && until.IsZero() {
		s.limit.Store(nil)
		return
	}
	if bytes == 0 {
		bytes = math.MaxUint64
	}
	s.limit.Store(&limit{bytes: bytes, until: until})
}

// take takes n bytes out of what is left, and tells whether there were so many.
func (l *limit) take(n int) bool { return l.used.Add(uint64(n)) <= l.bytes }

// over tells whether the session has to end.
func (l *limit) over(now time.Time) bool {
	return l.used.Load() >= l.bytes || !l.until.IsZero() && !now.Before(l.until)
}
