//go:build linux

package e2e

import (
	"context"
	"strings"
	"sync"
)

// A transcript keeps what a process prints, and wakes who waits for a line of it.
type transcript struct {
	mu    sync.Mutex
	text  strings.Builder
	grown chan struct{} // closed, and made anew, when there is more text
}

func newTranscript() *transcript { return &transcript{grown: make(chan struct{})} }

// Write implements [io.Writer].
func (o *transcript) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.grown)
	o.grown = make(chan struct{})
	return o.text.Write(b)
}

func (o *transcript) String() string {
	text, _ := o.now()
	return text
}

func (o *transcript) now() (text string, grown <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.grown
}

// mark is a place in the transcript, to wait from.
func (o *transcript) mark() int { return len(o.String()) }

// line returns the first whole line behind a mark that holds part; ok is
// false when ctx or the process has ended before there was one.
func (o *transcript) line(ctx context.Context, from int, part string, exited <-chan struct{}) (line string, ok bool) {
	for last := false; ; {
		text, grown := o.now()
		for line := range strings.Lines(text[from:]) {
			if strings.HasSuffix(line, "\n") && strings.Contains(line, part) {
				return strings.TrimSuffix(line, "\n"), true
			}
		}
		if last {
			return "", false
		}
		select {
		case <-grown:
		case <-exited: // all that it has printed is here: look once more
			last = true
		case <-ctx.Done():
			return "", false
		}
	}
}
