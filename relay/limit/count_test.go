package limit

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestCount(t *testing.T) {
	c := NewCount[string](2)
	for i, want := range []bool{true, true, false} {
		if got := c.Take("a"); got != want {
			t.Fatalf("thing %d: given %t", i, got)
		}
	}
	if !c.Take("b") {
		t.Error("another key's count was taken")
	}
	c.Return("a")
	if !c.Take("a") || c.Take("a") {
		t.Error("not exactly what was returned was given again")
	}
	for range 2 {
		c.Return("a")
	}
	c.Return("b")
	if len(c.now) != 0 {
		t.Errorf("keys that have nothing are remembered: %v", c.now)
	}
}

func TestCountFromManySides(t *testing.T) {
	const most = 3
	c := NewCount[int](most)
	var now, worst atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if !c.Take(1) {
					continue
				}
				if n := now.Add(1); n > worst.Load() {
					worst.Store(n)
				}
				now.Add(-1)
				c.Return(1)
			}
		})
	}
	wg.Wait()
	if worst.Load() > most || len(c.now) != 0 {
		t.Errorf("%d at once, %v left", worst.Load(), c.now)
	}
}
