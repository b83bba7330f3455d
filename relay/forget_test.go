package relay

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestForgetter: what nobody refers to leaves the heap when something has ended,
// though the heap does not grow; what a pool has kept, too.
func TestForgetter(t *testing.T) {
	f := newForgetter()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.run(ctx) }()
	defer func() { cancel(); <-done }()

	pool := new(sync.Pool)
	gone := make(chan string, 2)
	leave(pool, gone)
	f.over()
	for range 2 {
		select {
		case <-gone:
		case <-time.After(patience):
			t.Fatal("it is still in the heap")
		}
	}
	runtime.KeepAlive(pool)
}

// leave makes two things that nobody refers to but a pool.
func leave(pool *sync.Pool, gone chan<- string) {
	held, pooled := new([64]byte), new([64]byte)
	runtime.AddCleanup(held, func(what string) { gone <- what }, "held")
	runtime.AddCleanup(pooled, func(what string) { gone <- what }, "pooled")
	pool.Put(pooled)
}

// TestForgetterPauses: however often something ends, there are seconds between two
// collections, and more if they cost more than a hundredth of the time.
func TestForgetterPauses(t *testing.T) {
	began := time.Now()
	if pause := collect(); pause < forgetPause || pause > max(forgetPause, 2*time.Since(began)*time.Duration(1/forgetCost)) {
		t.Errorf("after a collection of %v, a pause of %v", time.Since(began), pause)
	}
	t.Logf("a collection takes %v", time.Since(began).Round(100*time.Microsecond))
	f := newForgetter()
	for range 1000 {
		f.over() // never blocks
	}
}
