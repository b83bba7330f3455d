package forgetful

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// TestAsAMap: it behaves as the runtime's does.
func TestAsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, got := make(map[int]int), New[int, int]()
		for _, key := range rapid.SliceOf(rapid.IntRange(-20, 20)).Draw(t, "keys; negative: deleted") {
			if key < 0 {
				delete(want, -key)
				got.Delete(-key)
				continue
			}
			want[key]++
			got.Set(key, got.Get(key)+1)
		}
		if all := maps.Collect(got.All()); !maps.Equal(all, want) || got.Len() != len(want) {
			t.Fatalf("got %v of %d, want %v", all, got.Len(), want)
		}
		for key := range 21 {
			v, there := got.Lookup(key)
			if w, is := want[key]; v != w || there != is {
				t.Fatalf("%d: %d, %t", key, v, there)
			}
		}
	})
}

// TestSharedHash: keys whose hashes are the same are told apart.
func TestSharedHash(t *testing.T) {
	for _, order := range [][]int{{1, 2, 3}, {3, 2, 1}, {2, 1, 3}} {
		m := New[int, string]()
		var chain *entry[int, string]
		for key := 1; key <= 3; key++ { // a chain as Set would make it, under the hash of each
			chain = &entry[int, string]{key: key, value: "v", next: chain}
		}
		for left, key := range order {
			m.entries[m.hash(key)], m.len = chain, 3-left
			m.Delete(key)
			if _, there := m.Lookup(key); there || m.Len() != 2-left {
				t.Errorf("%v: %d is still there", order, key)
			}
			chain = m.entries[m.hash(key)]
			for _, other := range order[left+1:] {
				m.entries[m.hash(other)] = chain
				if m.Get(other) != "v" {
					t.Errorf("%v: with %d, %d is gone", order, key, other)
				}
			}
		}
	}
}

// TestDeletedKeysAreOverwritten, at once.
func TestDeletedKeysAreOverwritten(t *testing.T) {
	key := [32]byte{31: 7}
	m := New[[32]byte, int]()
	m.Set(key, 1)
	kept := &m.entries[m.hash(key)].key
	m.Delete(key)
	if *kept != [32]byte{} {
		t.Error("the key is still in memory")
	}
}
