package packetmem

import (
	"fmt"
	"os"
	"sync"
)

// Lack is why a control is not in force, and what to do about it.
type Lack struct {
	Cause error  // what is so, and what follows
	Mend  string // what to do
}

// Error is both in one sentence.
func (l *Lack) Error() string { return l.Cause.Error() + ": " + l.Mend }

// Unwrap gives the cause.
func (l *Lack) Unwrap() error { return l.Cause }

// Memory is a fixed number of bytes for packet buffers. Its methods may be
// called from any goroutine.
type Memory struct {
	// static
	size             int
	locked, undumped error // what came of it at the start; nil or *Lack

	// guarded by mu
	mu   sync.Mutex
	all  []byte // nil after Close; its last page is never taken: Locked tries things on it
	used int
}

// New makes a Memory with room for so many bytes. That it can't be locked or
// excluded from dumps is no error here. The caller closes it.
func New(bytes int) (*Memory, error) {
	size := wholePages(max(bytes, 1))
	all, err := mapMemory(size + os.Getpagesize())
	if err != nil {
		return nil, fmt.Errorf("map %d KiB for packet buffers: %w: give the program more memory, or fewer cores (GOMAXPROCS), since each has buffers of its own", size>>10, err)
	}
	m := &Memory{size: size, all: all}
	m.locked, m.undumped = lock(all), undump(all)
	return m, nil
}

// Take cuts n bytes that are zero and begin on a page of their own. They belong
// to the caller until Close, after which touching them is a crash. There is no
// way to give them back before: a relay makes its buffers when it starts.
func (m *Memory) Take(n int) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		return nil, fmt.Errorf("take %d bytes of packet memory: %w: it was given back", n, os.ErrClosed)
	}
	if left := m.size - m.used; n < 0 || n > left {
		return nil, fmt.Errorf("take %d bytes of packet memory: %d of %d are left: make it larger", n, left, m.size)
	}
	b := m.all[m.used : m.used+n : m.used+n]
	m.used = min(wholePages(m.used+n), m.size)
	return b, nil
}

// Bytes is how large the memory is.
func (m *Memory) Bytes() int { return m.size }

// Locked returns nil if the memory is never swapped out, and otherwise a [*Lack]. It
// tries anew what locked memory refuses, until Close.
func (m *Memory) Locked() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked != nil || m.all == nil {
		return m.locked
	}
	return stillLocked(m.all[m.size:])
}

// Undumped returns nil if the memory is in no core dump and in no child process,
// and otherwise a [*Lack]. It is what the kernel has answered when the memory was
// made: there is no call that asks for it again.
func (m *Memory) Undumped() error { return m.undumped }

// Close wipes the memory and gives it back. Nobody may touch what was taken from
// it any more. Closing again does nothing.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.all
	if all == nil {
		return nil
	}
	m.all = nil
	clear(all)
	return unmapMemory(all)
}

func wholePages(bytes int) int {
	page := os.Getpagesize()
	return (bytes + page - 1) / page * page
}
