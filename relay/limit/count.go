package limit

import "sync"

// Count bounds how many things each key has at once.
type Count[K comparable] struct {
	max int

	mu  sync.Mutex
	now map[K]int
}

// NewCount makes a bound of limit things for each key.
func NewCount[K comparable](limit int) *Count[K] {
	return &Count[K]{max: limit, now: make(map[K]int)}
}

// Take counts one more thing for key, unless it has as many as it may.
func (c *Count[K]) Take(key K) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now[key] >= c.max {
		return false
	}
	c.now[key]++
	return true
}

// Return counts one thing less for key.
func (c *Count[K]) Return(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now[key]--; c.now[key] <= 0 {
		delete(c.now, key)
	}
}
