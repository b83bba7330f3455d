package forgetful

import (
	"hash/maphash"
	"iter"
)

// Map is a map from K to V. It is not safe for concurrent use, except that any
// number of goroutines may read while nobody writes. Make one with [New].
type Map[K comparable, V any] struct {
	seed    maphash.Seed
	entries map[uint64]*entry[K, V] // by hash; of the few that share one, the rest hangs on the first
	len     int
}

type entry[K comparable, V any] struct {
	key   K
	value V
	next  *entry[K, V]
}

// New makes an empty map.
func New[K comparable, V any]() *Map[K, V] {
	return &Map[K, V]{seed: maphash.MakeSeed(), entries: make(map[uint64]*entry[K, V])}
}

// Len is how many keys there are.
func (m *Map[K, V]) Len() int { return m.len }

// Get returns the value of a key; the zero V if it is not there.
func (m *Map[K, V]) Get(key K) V {
	v, _ := m.Lookup(key)
	return v
}

// Lookup is Get, and whether the key is there.
func (m *Map[K, V]) Lookup(key K) (v V, there bool) {
	for e := m.entries[m.hash(key)]; e != nil; e = e.next {
		if e.key == key {
			return e.value, true
		}
	}
	return v, false
}

// Set gives a key a value.
func (m *Map[K, V]) Set(key K, value V) {
	hash := m.hash(key)
	first := m.entries[hash]
	for e := first; e != nil; e = e.next {
		if e.key == key {
			e.value = value
			return
		}
	}
	m.entries[hash] = &entry[K, V]{key: key, value: value, next: first}
	m.len++
}

// Delete takes a key out, if it is there, and overwrites what was kept of it. With
// the last key goes the seed.
func (m *Map[K, V]) Delete(key K) {
	hash := m.hash(key)
	var before *entry[K, V]
	for e := m.entries[hash]; e != nil; before, e = e, e.next {
		if e.key != key {
			continue
		}
		switch {
		case before != nil:
			before.next = e.next
		case e.next != nil:
			m.entries[hash] = e.next
		default:
			delete(m.entries, hash)
		}
		*e = entry[K, V]{}
		if m.len--; m.len == 0 {
			clear(m.entries)
			m.seed = maphash.MakeSeed()
		}
		return
	}
}

// All yields what is there, in any order. The map must not be changed meanwhile.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, first := range m.entries {
			for e := first; e != nil; e = e.next {
				if !yield(e.key, e.value) {
					return
				}
			}
		}
	}
}

func (m *Map[K, V]) hash(key K) uint64 { return maphash.Comparable(m.seed, key) }
