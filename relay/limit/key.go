package limit

import "hash/maphash"

// A hasher turns keys into numbers that stand for them, so that the maps of this
// package hold no identity and no address, only what one can be compared with. The
// seed is the process's own: the numbers mean nothing elsewhere, and nobody can
// choose keys that collide. Two keys out of a million collide once in 37 million
// runs, and would share a limit.
type hasher[K comparable] struct{ seed maphash.Seed }

func newHasher[K comparable]() hasher[K] { return hasher[K]{maphash.MakeSeed()} }

func (h hasher[K]) of(key K) uint64 { return maphash.Comparable(h.seed, key) }
