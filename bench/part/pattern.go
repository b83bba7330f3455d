package part

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/metrics"
	"sync"
	"sync/atomic"
)

const (
	// period is how often the pattern repeats, in bytes. It is a prime, so that
	// no loss of whole packets or buffers goes unseen, and small enough that
	// comparing stays in the processor's cache.
	period = 32771

	// chunk is how much is written or read at once, in bytes: what
	// internal/splice does too.
	chunk = 64 << 10
)

var errContent = errors.New("the content is not what was sent")

// pattern is the content of every flow: byte i of a flow is at(i)[0].
type pattern struct{ tile []byte }

func newPattern() pattern {
	random := rand.New(rand.NewPCG(period, chunk)) // the same in every process
	block := make([]byte, period)
	for i := range block {
		block[i] = byte(random.Uint32())
	}
	return pattern{bytes.Repeat(block, 2+chunk/period)}
}

// at returns the chunk bytes of a flow that begin at offset.
func (p pattern) at(offset uint64) []byte { return p.tile[offset%period:][:chunk] }

// matches reports whether b, of at most chunk bytes, is what stands at offset.
func (p pattern) matches(b []byte, offset uint64) bool {
	return bytes.Equal(b, p.at(offset)[:len(b)])
}

// meter moves bytes over streams, and remembers how far it came and why it
// stopped.
type meter struct {
	pattern  pattern
	received atomic.Uint64

	mu      sync.Mutex
	failure error // guarded by mu: the first one
}

func newMeter() *meter { return &meter{pattern: newPattern()} }

// send writes the pattern until w fails.
func (m *meter) send(w io.Writer) {
	for sent := uint64(0); ; {
		n, err := w.Write(m.pattern.at(sent))
		if sent += uint64(n); err != nil {
			m.fail(err)
			return
		}
	}
}

// receive reads and compares until r fails.
func (m *meter) receive(r io.Reader) {
	buf := make([]byte, chunk)
	for got := uint64(0); ; {
		n, err := r.Read(buf)
		if !m.pattern.matches(buf[:n], got) {
			m.fail(fmt.Errorf("%w, at byte %d or after", errContent, got))
			return
		}
		got += uint64(n)
		m.received.Add(uint64(n))
		if err != nil {
			m.fail(err)
			return
		}
	}
}

func (m *meter) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failure == nil {
		m.failure = err
	}
}

// moved is the answer to Progress: a flow that has stopped, for whatever
// reason, is no flow to measure.
func (m *meter) moved() (Moved, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Moved{Received: m.received.Load(), Allocs: allocated()}, m.failure
}

// allocated is how many objects this process has allocated.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
