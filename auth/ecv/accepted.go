package ecv

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

const (
	// MaxAccepted is how many entries a grant can hold.
	MaxAccepted = 128

	entrySize = 1 + len(TagID{}) // bytes: feature, ID
)

// Entry is one accepted value of one feature.
type Entry struct {
	Feature Feature
	ID      TagID
}

func (e Entry) compare(other Entry) int {
	return cmp.Or(cmp.Compare(e.Feature, other.Feature), bytes.Compare(e.ID[:], other.ID[:]))
}

// Accepted is what a grant accepts: a set of values of features. It is never
// changed once made, so copies may be used anywhere. Its zero value accepts
// nothing.
type Accepted struct {
	entries []Entry // strictly ascending
}

// NewAccepted returns the set of these entries. It takes more than
// [MaxAccepted], and unknown features, which [ParseAccepted] refuses.
func NewAccepted(entries ...Entry) Accepted {
	sorted := slices.SortedFunc(slices.Values(entries), Entry.compare)
	return Accepted{slices.Compact(sorted)}
}

// Entries returns a copy of the entries, sorted by feature and ID.
func (a Accepted) Entries() []Entry { return slices.Clone(a.entries) }

// Has tells whether this value is accepted.
func (a Accepted) Has(f Feature, id TagID) bool {
	_, found := slices.BinarySearchFunc(a.entries, Entry{f, id}, Entry.compare)
	return found
}

// Any tells whether any value of the feature is accepted: whether the router
// has ever learned one.
func (a Accepted) Any(f Feature) bool {
	i, _ := slices.BinarySearchFunc(a.entries, Entry{Feature: f}, Entry.compare)
	return i < len(a.entries) && a.entries[i].Feature == f
}

// Equal tells whether both accept the same.
func (a Accepted) Equal(b Accepted) bool { return slices.Equal(a.entries, b.entries) }

func (a Accepted) state(f Feature, id TagID) State {
	if a.Has(f, id) {
		return Matched
	}
	return Unknown
}

// Append appends the entries to b, 17 bytes each.
func (a Accepted) Append(b []byte) []byte {
	for _, e := range a.entries {
		b = append(append(b, byte(e.Feature)), e.ID[:]...)
	}
	return b
}

// ParseAccepted reads what [Accepted.Append] wrote, and no other bytes. Its
// errors wrap [ErrAccepted]. It keeps no part of b.
func ParseAccepted(b []byte) (Accepted, error) {
	if len(b)%entrySize != 0 || len(b) > MaxAccepted*entrySize {
		return Accepted{}, fmt.Errorf("%w: it must be at most %d entries of %d bytes", ErrAccepted, MaxAccepted, entrySize)
	}
	var a Accepted
	for raw := range slices.Chunk(b, entrySize) {
		e := Entry{Feature(raw[0]), TagID(raw[1:])}
		if e.Feature >= Features {
			return Accepted{}, fmt.Errorf("%w: it names a feature that this version does not know: update Lethe", ErrAccepted)
		}
		if n := len(a.entries); n > 0 && a.entries[n-1].compare(e) >= 0 {
			return Accepted{}, fmt.Errorf("%w: its entries must ascend", ErrAccepted)
		}
		a.entries = append(a.entries, e)
	}
	return a, nil
}
