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
	limit  rate.Limit
	burst  int
	max    int
	span   time.Duration
	hasher hasher[K]

	// guarded by mu
	mu     sync.Mutex
	young  map[uint64]*rate.Limiter // by the keys' hashes
	old    map[uint64]*rate.Limiter
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
		hasher: newHasher[K](),
		young:  make(map[uint64]*rate.Limiter),
		shared: rate.NewLimiter(limit, burst),
	}
}

// Take takes one event of key at now. If that is over the limit it takes
// nothing, and returns how long to wait until it will be within it.
func (r *Rate[K]) Take(key K, now time.Time) (wait time.Duration) {
	hash := r.hasher.of(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turnLocked(now)
	reservation := r.bucketLocked(hash).ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// Of tells whether key has a bucket of its own, and how many events are left in it.
func (r *Rate[K]) Of(key K, now time.Time) (left float64, has bool) {
	hash := r.hasher.of(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turnLocked(now)
	b := r.young[hash]
	if b == nil {
		b = r.old[hash]
	}
	if b == nil {
		return 0, false
	}
	return b.TokensAt(now), true
}

// Forget drops the buckets that don't count any more, which are full. [Rate.Take]
// does that too, but only when it is called.
func (r *Rate[K]) Forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turnLocked(now)
}

// turnLocked makes the generations those of now.
func (r *Rate[K]) turnLocked(now time.Time) {
	age := now.Sub(r.turned)
	if age < r.span {
		return
	}
	if age >= 2*r.span {
		r.young = nil // nothing was asked for so long that every bucket is full
	}
	r.old, r.young = r.young, make(map[uint64]*rate.Limiter)
	r.turned = now
}

func (r *Rate[K]) bucketLocked(hash uint64) *rate.Limiter {
	if b := r.young[hash]; b != nil {
		return b
	}
	b := r.old[hash]
	if len(r.young) >= r.max {
		if b == nil {
			b = r.shared
		}
		return b
	}
	if b == nil {
		b = rate.NewLimiter(r.limit, r.burst)
	}
	r.young[hash] = b
	return b
}
