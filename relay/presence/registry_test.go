package presence

import (
	"errors"
	"sync"
	"testing"

	"github.com/lethe-relay/lethe/auth"
)

type conn struct{ name string }

func TestNewestConnectionWins(t *testing.T) {
	r := New[*conn](10)
	id, first, second := auth.RouterID{1}, &conn{"first"}, &conn{"second"}
	if before, err := r.Put(id, first); before != nil || err != nil {
		t.Fatal(before, err)
	}
	if before, err := r.Put(id, second); before != first || err != nil {
		t.Fatalf("Put = %v, %v; want the connection that is replaced", before, err)
	}
	if got, present := r.Get(id); got != second || !present || r.Len() != 1 {
		t.Errorf("Get = %v, %t of %d", got, present, r.Len())
	}
	r.Remove(id, first) // its end comes after it was replaced
	if got, _ := r.Get(id); got != second {
		t.Error("a connection removed the one that replaced it")
	}
	r.Remove(id, second)
	if got, present := r.Get(id); got != nil || present || r.Len() != 0 {
		t.Errorf("Get = %v, %t of %d, after it was removed", got, present, r.Len())
	}
}

func TestFull(t *testing.T) {
	r := New[*conn](2)
	for i := range 2 {
		if _, err := r.Put(auth.RouterID{byte(i)}, &conn{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Put(auth.RouterID{9}, &conn{}); !errors.Is(err, ErrFull) {
		t.Errorf("the third router: %v, want ErrFull", err)
	}
	if _, present := r.Get(auth.RouterID{9}); present || r.Len() != 2 {
		t.Error("a refused router is present")
	}
	last := &conn{}
	if _, err := r.Put(auth.RouterID{1}, last); err != nil {
		t.Errorf("a router that is present comes back to a full registry: %v", err)
	}
	r.Remove(auth.RouterID{1}, last)
	if _, err := r.Put(auth.RouterID{9}, &conn{}); err != nil {
		t.Errorf("there is a place, but: %v", err)
	}
}

func TestFromManySides(t *testing.T) {
	r := New[*conn](100)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				id, c := auth.RouterID{byte(i % 3)}, &conn{}
				if _, err := r.Put(id, c); err != nil {
					t.Error(err)
				}
				r.Get(id)
				r.Remove(id, c)
			}
		})
	}
	wg.Wait()
	if r.Len() != 0 {
		t.Errorf("%d routers are left", r.Len())
	}
}
