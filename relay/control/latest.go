package control

import "sync"

// latest runs a function with the newest value that it was given: in a
// goroutine of its own, one call at a time. Of the values that come during a
// call, only the last is kept.
type latest[T any] struct {
	// static
	launch func(func()) bool // starts the goroutine, unless it is too late for it
	do     func(T)

	// guarded by mu
	mu      sync.Mutex
	waiting *T // nil if none is
	running bool
	over    bool
}

// put hands over a value. It never waits for the function.
func (l *latest[T]) put(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.waiting = &v
	if !l.running {
		l.running = l.launch(l.run)
	}
}

// peek returns the value that waits; nil if none does.
func (l *latest[T]) peek() *T {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		return nil
	}
	v := *l.waiting
	return &v
}

// stop forgets the value that waits, and takes no more. A call that has begun
// goes on.
func (l *latest[T]) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over, l.waiting = true, nil
}

func (l *latest[T]) run() {
	for v := l.take(); v != nil; v = l.take() {
		l.do(*v)
	}
}

// take returns the value that waits. Without one, the goroutine is done.
func (l *latest[T]) take() *T {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.waiting
	l.waiting, l.running = nil, v != nil
	return v
}
