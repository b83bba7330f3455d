package limit

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestOf: what is counted for a key can be asked, and asking changes nothing.
func TestOf(t *testing.T) {
	c := NewCount[string](3)
	c.Take("a")
	c.Take("a")
	if c.Of("a") != 2 || c.Of("b") != 0 || len(c.now) != 1 {
		t.Errorf("counts %d and %d, %d kept", c.Of("a"), c.Of("b"), len(c.now))
	}
	r, now := NewRate[string](60, 10), began()
	for range 4 {
		r.Take("a", now)
	}
	if left, has := r.Of("a", now.Add(time.Second)); !has || left != 7 {
		t.Errorf("a has %v, %t left, want 7", left, has)
	}
	if _, has := r.Of("b", now); has || len(r.young) != 1 {
		t.Errorf("b has a bucket, or got one: %d kept", len(r.young))
	}
}

// TestForgetWithoutTake: a key that is never asked for again goes with time, and not
// only when another one asks.
func TestForgetWithoutTake(t *testing.T) {
	r, now := NewRate[string](60, 10), began()
	r.Take("a", now)
	for range 2 {
		now = now.Add(11 * time.Second)
		r.Forget(now)
	}
	if _, has := r.Of("a", now); has || len(r.young)+len(r.old) != 0 {
		t.Errorf("%d and %d are kept", len(r.young), len(r.old))
	}
}

// TestNoKeyIsHeld: neither kind of map holds what it counts, in any form that prints.
func TestNoKeyIsHeld(t *testing.T) {
	const key = "192.0.2.77"
	c, r := NewCount[string](3), NewRate[string](60, 10)
	c.Take(key)
	r.Take(key, began())
	if text := fmt.Sprintf("%+v %+v", c, r); strings.Contains(text, key) {
		t.Error(text)
	}
}
