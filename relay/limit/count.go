package limit

import "sync"

// Count bounds how many things each key has at once.
type Count[K comparable] struct {
	max    int
	hasher hasher[K]

	mu  sync.Mutex
	now map[uint64]int // by the keys' hashes
}

// NewCount makes a bound of limit things for each key.
func NewCount[K comparable](limit int) *Count[K] {
	return &Count[K]{max: limit, hasher: newHasher[K](), now: make(map[uint64]int)}
}

// Take counts one more thing for key, unless it has as many as it may.
func (c *Count[K]) Take(key K) bool {
	hash := c.hasher.of(key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now[hash] >= c.max {
		return false
	}
	c.now[hash]++
	return true
}

// Return counts one thing less for key.
func (c *Count[K]) Return(key K) {
	hash := c.hasher.of(key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now[hash]--; c.now[hash] <= 0 {
		delete(c.now, hash)
	}
}

// Of is how many things key has now.
func (c *Count[K]) Of(key K) int {
	hash := c.hasher.of(key)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now[hash]
}
