package forward

import (
	"sync/atomic"
	"time"
)

// bucket is a token bucket in one word: how far a leg has paid along a line that
// somebody else draws. The line goes up with time, by what the leg may carry; what
// it carries is paid for, and paying stops at the line. Whoever has paid little
// is let lag behind by the burst, and no more: that is how full a bucket can be.
//
//	      paid ──────── line − burst ────────────── line
//	counts as if here ──────▲      what it may carry now
//
// It is written by the loop that owns the leg's source address. A leg may come to
// another loop when it moves: then one message may be counted twice or not at all.
type bucket struct{ paid atomic.Int64 }

// at is how far along the line the bucket counts as paid.
func (b *bucket) at(line, burst int64) int64 { return max(b.paid.Load(), line-burst) }

// rate is what a leg may carry in the long run, in bytes. The zero rate is none.
type rate struct {
	perSecond int64
	burst     int64 // at once, after a pause
}

// The burst of a rate is what it lets pass in burstTime, which is about what the
// round trips of a tunnel need, and not less than one message, so that a
// slow rate does not cut each run to pieces.
const (
	burstTime = 100 * time.Millisecond
	minBurst  = 64 << 10
)

// newRate makes a rate of so many bits a second, 100 Gbit/s at most: more would not fit line.
func newRate(bits uint64) rate {
	perSecond := int64(bits / 8)
	if perSecond == 0 {
		return rate{}
	}
	return rate{perSecond: perSecond, burst: max(minBurst, perSecond/int64(time.Second/burstTime))}
}

// line is what the rate has let pass at now, with the first burst.
func (r rate) line(now time.Duration) int64 {
	seconds, rest := int64(now/time.Second), int64(now%time.Second)
	return r.burst + seconds*r.perSecond + int64(uint64(rest)*uint64(r.perSecond)/uint64(time.Second))
}

// take takes up to n bytes out of the bucket, in whole pieces of so many bytes, of
// which the last may be shorter, and returns how many it took.
func (r rate) take(b *bucket, line int64, n, piece int) int {
	paid := b.at(line, r.burst)
	if room := max(line-paid, 0); int64(n) > room {
		n = int(room) / piece * piece
	}
	if n > 0 {
		b.paid.Store(paid + int64(n))
	}
	return n
}
