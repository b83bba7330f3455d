package limit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is a token bucket per key.
//
// Buckets live in two generations. Every span, the older one is dropped and
// the newer one becomes the older; a key in use moves along. A span is the
// time in which an empty bucket fills, so a bucket that is dropped was full.
// When a generation holds max keys, the buckets of further keys are not kept
// apart: they share one. A key of the older generation has its own until that
// is dropped.
type Rate[K comparable] struct {
	// static
	limit rate.Limit
	burst int
	max   int
	span  time.Duration

	// guarded by mu
	mu     sync.Mutex
	young  map[K]*rate.Limiter
	old    map[K]*rate.Limiter
	shared *rate.Limiter
	turned time.Time
}

// NewRate makes a limit of perMinute events for each key, with bursts of a
// sixth of that (ten seconds' worth, at least 5), and at most keys keys
// remembered a generation.
func NewRate[K comparable](perMinute, keys int) *Rate[K] {
	limit := rate.Limit(float64(perMinute) / 60)
	burst := max(perMinute/6, 5)
	return &Rate[K]{
		limit:  limit,
		burst:  burst,
		max:    keys,
		span:   time.Duration(float64(burst) / float64(limit) * float64(time.Second)),
		young:  make(map[K]*rate.Limiter),
		shared: rate.NewLimiter(limit, burst),
	}
}

// Take takes one event of key at now. If that is over the limit it takes
// nothing, and returns how long to wait until it will be within it.
func (r *Rate[K]) Take(key K, now time.Time) (wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.turned) >= r.span {
		if now.Sub(r.turned) >= 2*r.span {
			r.young = nil // nothing was asked for so long that every bucket is full
		}
		r.old, r.young = r.young, make(map[K]*rate.Limiter)
		r.turned = now
	}
	reservation := r.bucket(key).ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

func (r *Rate[K]) bucket(key K) *rate.Limiter {
	if b := r.young[key]; b != nil {
		return b
	}
	b := r.old[key]
	if len(r.young) >= r.max {
		if b == nil {
			b = r.shared
		}
		return b
	}
	if b == nil {
		b = rate.NewLimiter(r.limit, r.burst)
	}
	r.young[key] = b
	return b
}
