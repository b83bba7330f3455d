package control

import (
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

// TestDeparted: what a router has said is known for at least as long as it should be, and not for ever.
func TestDeparted(t *testing.T) {
	d, now := newDeparted(2), time.Now()
	one, two, three := auth.RouterID{1}, auth.RouterID{2}, auth.RouterID{3}
	r := &auth.Revocations{Number: 7}
	d.keep(one, r, now)
	d.keep(two, nil, now)
	if d.of(one, now.Add(rememberedFor)) != r || d.of(two, now) != nil {
		t.Error("not what was said")
	}
	later := now.Add(rememberedFor + time.Minute)
	d.keep(one, &auth.Revocations{Number: 8}, later)
	if got := d.of(one, later); got == nil || got.Number != 8 {
		t.Errorf("got %v, want the newer", got)
	}
	d.keep(two, r, later)
	d.keep(three, r, later)
	if d.of(two, later) == nil || d.of(three, later) != nil {
		t.Error("it does not keep as many as it may")
	}
	if d.of(one, later.Add(2*rememberedFor)) != nil || d.of(two, later.Add(5*rememberedFor)) != nil {
		t.Error("it is kept too long")
	}
}
