package journal

import (
	"errors"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

const (
	// MaxSize is the size in bytes that the file never exceeds.
	MaxSize = 256 << 10

	sizeAfterDrop = MaxSize / 4 * 3
	writeEvery    = time.Minute // at least, between two writes
)

// ErrClosed says that the journal was closed, so that the entry is lost.
var ErrClosed = errors.New("the journal is closed")

// Journal is what the router has decided. There must be one for a file. Its methods
// are safe for concurrent use.
type Journal struct {
	// static
	damaged int

	// guarded by disk, which is held while the file is written, and taken before mu
	disk sync.Mutex
	file file

	// guarded by mu
	mu      sync.Mutex
	records []record    // oldest first
	size    int         // of their lines, in bytes
	written int         // so many records, from the oldest, were given to the file
	stale   bool        // the file is not those records: write it anew
	timer   *time.Timer // runs flush; nil when nothing waits
	last    time.Time   // when the file was last written, or should have been
	err     error       // of a write in the background that nobody was told of
	closed  bool
}

// Open reads the journal in the file at path, or begins one. Damaged lines are
// skipped; see [Journal.Damaged]. A file that others may read, or that is a link or
// no regular file, is an error. Close the journal after use.
func Open(path string) (*Journal, error) {
	j := &Journal{file: file{path: path}}
	var err error
	if j.records, j.damaged, err = j.file.read(); err != nil {
		return nil, err
	}
	j.written, j.stale = len(j.records), j.damaged > 0
	for _, r := range j.records {
		j.size += len(r.line)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.dropLocked()
	j.armLocked()
	return j, nil
}

// Damaged returns how many lines Open could not read.
func (j *Journal) Damaged() int { return j.damaged }

// Add records a decision; Times and ByForgotten are set by the journal, and At is
// cut to seconds. It never waits for the disk. An error is for the log only: the
// entry can't be recorded, or the last write in the background failed.
func (j *Journal) Add(e Entry) error {
	e.ByForgotten = false
	r, err := newRecord(e.clean())
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return ErrClosed
	}
	if !j.mergeLocked(r.Entry) {
		j.records = append(j.records, r)
		j.size += len(r.line)
	}
	j.dropLocked()
	j.armLocked()
	err, j.err = j.err, nil
	return err
}

// mergeLocked counts e in the last entry of its device, if it may.
func (j *Journal) mergeLocked(e Entry) bool {
	for i := len(j.records) - 1; i >= j.written; i-- {
		last := &j.records[i]
		if last.Device != e.Device {
			continue
		}
		if !e.repeats(last.Entry) {
			return false
		}
		again := last.Entry
		again.Times++
		r, err := newRecord(again)
		if err != nil {
			return false
		}
		j.size += len(r.line) - len(last.line)
		*last = r
		return true
	}
	return false
}

// Entries returns the entries about a device, or about all for the zero ID, that
// are not older than since; in the order in which they were added. They are the caller's.
func (j *Journal) Entries(device auth.DeviceID, since time.Time) (found []Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records {
		if (device == auth.DeviceID{} || device == r.Device) && !r.At.Before(since) {
			e := r.Entry
			e.Reasons = slices.Clone(e.Reasons)
			found = append(found, e)
		}
	}
	return found
}

// Forget erases the entries about a device, and its name where it caused
// others, and returns how many it erased. With an error they are erased from memory,
// and from the disk when it can be written again.
func (j *Journal) Forget(device auth.DeviceID) (erased int, err error) {
	if (device == auth.DeviceID{}) {
		return 0, errors.New("can't forget a device without an ID")
	}
	j.mu.Lock()
	before, blanked := len(j.records), 0
	j.records = slices.DeleteFunc(j.records, func(r record) bool { return r.Device == device })
	for i, r := range j.records {
		if r.By != device {
			continue
		}
		r.By, r.ByForgotten = auth.DeviceID{}, true
		j.records[i], _ = newRecord(r.Entry) // its time could be written before
		blanked++
	}
	erased = before - len(j.records)
	if erased+blanked > 0 {
		j.changedLocked()
	}
	j.mu.Unlock()
	return erased, j.flush()
}

// changedLocked notes that records were taken out, or changed after they were written.
func (j *Journal) changedLocked() {
	j.written, j.stale, j.size = len(j.records), true, 0
	for _, r := range j.records {
		j.size += len(r.line)
	}
}

// Prune drops what is older than since. Nothing else does: the caller knows when the
// clock is to be believed.
func (j *Journal) Prune(since time.Time) error {
	j.mu.Lock()
	before := len(j.records)
	j.records = slices.DeleteFunc(j.records, func(r record) bool { return r.At.Before(since) })
	if len(j.records) < before {
		j.changedLocked()
	}
	j.mu.Unlock()
	return j.flush()
}

// dropLocked makes room when there is too much. Who has the most pays with his
// oldest entries: with many of his own, nobody washes those about others out.
func (j *Journal) dropLocked() {
	if j.size <= MaxSize {
		return
	}
	sizes := make(map[auth.DeviceID]int)
	for _, r := range j.records {
		sizes[r.payer()] += len(r.line)
	}
	most, kept := fairShare(slices.Sorted(maps.Values(sizes)), sizeAfterDrop), make(map[auth.DeviceID]int)
	var left []record
	for _, r := range slices.Backward(j.records) {
		if kept[r.payer()] += len(r.line); kept[r.payer()] <= most {
			left = append(left, r)
		}
	}
	slices.Reverse(left)
	j.records = left
	j.changedLocked()
}

// fairShare is how much each may have at most, so that all fit into room. Who has
// less leaves the rest to the others. sizes are sorted.
func fairShare(sizes []int, room int) int {
	for i, size := range sizes {
		if share := room / (len(sizes) - i); size > share {
			return share
		}
		room -= size
	}
	return math.MaxInt // they fit as they are
}

// Close writes what is not written, and ends the journal.
func (j *Journal) Close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	return j.flush()
}
