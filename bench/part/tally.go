package part

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Opened is the answer to Progress of devices and of callers.
type Opened struct {
	Took []time.Duration // each open since the last Progress
}

// tally is the opens of a part, as its goroutines note them.
type tally struct {
	mu      sync.Mutex
	took    []time.Duration // guarded by mu
	failure error           // guarded by mu
}

// note counts an open, and tells whether to go on. One that has failed, for
// whatever reason, ends the measurement.
func (t *tally) note(took time.Duration, err error) (goOn bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failure = errors.Join(t.failure, err)
		return false
	}
	t.took = append(t.took, took)
	return true
}

func (t *tally) progress(context.Context, struct{}) (any, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	took := t.took
	t.took = nil
	return Opened{took}, t.failure
}
