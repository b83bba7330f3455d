package leak

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	sampleBytes = 4096                  // of a message, at most
	samplePause = 20 * time.Millisecond // between two
	keptSamples = 4096                  // on the heap: 16 MiB, or a minute and more
	blockBytes  = 64                    // of one_in_10000
	blockEvery  = 10_000
	lateBy      = 20 * time.Second
	corruptFrom = 200 // messages: enough for handshakes
)

// errLater is returned by a way that says itself what becomes of its sample.
var errLater = errors.New("later")

// Leak is one leak. Its methods may be called from any goroutine.
type Leak struct {
	// static
	name   string
	getenv func(string) string
	out    io.Writer
	lateBy time.Duration
	ways   []func(sample []byte) error
	own    netip.AddrPort // where to send from the relay's own socket
	closes []func()

	messages atomic.Uint64
	blocks   atomic.Uint64
	metric   atomic.Pointer[string]

	leaking sync.Mutex // held while a way is at work

	// guarded by mu
	mu       sync.Mutex
	sampled  time.Time
	kept     [][]byte // a ring
	keptNext int
	said     []string // outcomes
}

// FromEnvironment makes the leak that LETHE_LEAK names, and opens what it needs
// to have open before the lockdown. Without a name, it leaks nothing.
func FromEnvironment() (*Leak, error) { return newLeak(os.Getenv, os.Stderr) }

func newLeak(getenv func(string) string, out io.Writer) (*Leak, error) {
	l := &Leak{name: getenv("LETHE_LEAK"), getenv: getenv, out: out, lateBy: lateBy}
	if l.name == "" {
		return l, nil
	}
	prepare := l.preparations()[l.name]
	if prepare == nil {
		return nil, fmt.Errorf("LETHE_LEAK=%s is no leak: the doc of package leak lists them", l.name)
	}
	if err := prepare(); err != nil {
		l.close()
		return nil, fmt.Errorf("prepare the leak %s: %w", l.name, err)
	}
	return l, nil
}

// preparations are what each leak does before the lockdown. They set ways, which
// is what it does with a sample later.
func (l *Leak) preparations() map[string]func() error {
	always := func(way func([]byte) error) func() error {
		return func() error { l.ways = append(l.ways, way); return nil }
	}
	nothing := func() error { return nil }
	return map[string]func() error{
		"file":             l.prepareFile,
		"early_descriptor": l.prepareDescriptor,
		"shared_mapping":   l.prepareMapping,
		"memfd":            l.prepareMemfd,
		"log":              always(l.toLog),
		"metric":           always(l.toMetric),
		"heap":             always(l.toHeap),
		"child":            l.prepareChild,
		"unix_socket":      l.prepareUnix,
		"udp":              l.prepareUDP,
		"early_socket":     l.prepareEarly,
		"late":             always(l.toHeapLate),
		"one_in_10000":     nothing, // these four are in See, KeepsBytes and AllStays
		"unwiped":          nothing,
		"corrupt":          nothing,
		"all_stays":        nothing,
	}
}

// See is called with each message before it is sent. If it returns an address,
// the caller sends the message there, too, and calls Sent.
func (l *Leak) See(message []byte, segSize int) (to netip.AddrPort) {
	switch l.name {
	case "one_in_10000":
		l.keepBlocks(message)
	case "corrupt":
		l.corrupt(message, segSize)
	}
	if l.ways == nil || !l.due() || !l.leaking.TryLock() {
		return netip.AddrPort{}
	}
	defer l.leaking.Unlock()
	sample := message[:min(len(message), sampleBytes)]
	for _, way := range l.ways {
		if err := way(sample); err != errLater {
			l.say(err)
		}
	}
	return l.own
}

// Sent tells what became of what See has asked to send.
func (l *Leak) Sent(err error) { l.say(err) }

// KeepsBytes tells whether the packet buffers shall be wiped for show only.
func (l *Leak) KeepsBytes() bool {
	if l.name != "unwiped" {
		return false
	}
	l.say(nil)
	return true
}

// AllStays tells whether nothing is to be wiped and nothing collected.
func AllStays() bool { return os.Getenv("LETHE_LEAK") == "all_stays" }

// Metric is what to show as a label; empty for nothing.
func (l *Leak) Metric() string {
	if s := l.metric.Load(); s != nil {
		return *s
	}
	return ""
}

// due tells whether it is time for a sample.
func (l *Leak) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.sampled) < samplePause {
		return false
	}
	l.sampled = now
	return true
}

// say tells an outcome, once.
func (l *Leak) say(err error) {
	outcome := "done"
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		outcome = "refused: " + errno.Error()
	case err != nil:
		outcome = "refused: " + err.Error()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.said, outcome) {
		return
	}
	l.said = append(l.said, outcome)
	fmt.Fprintf(l.out, "leak %s: %s\n", l.name, outcome)
}

// close lets go of what the leak has opened.
func (l *Leak) close() {
	for _, f := range slices.Backward(l.closes) {
		f()
	}
}
