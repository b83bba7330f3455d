package forward

import "testing"

// TestALegHasOneOwner: all datagrams of a source come through the same loop, and
// the sources are spread over the loops. A session whose legs have different owners
// carries as any other.
func TestALegHasOneOwner(t *testing.T) {
	const sockets, sessions, datagrams = 2, 16, 20
	r := start(t, func(c *Config) { c.Sockets = sockets })
	carriedBy := func() (n [sockets]uint64) {
		for i, l := range r.loops {
			n[i] = l.messages.Load()
		}
		return n
	}
	owner := func(from, to *endpoint) (socket int) {
		t.Helper()
		before := carriedBy()
		for i := range datagrams {
			sent := payload(100+i, 100+i) // of different sizes, so none are joined
			from.sendOne(sent)
			to.want(sent)
		}
		after := carriedBy()
		socket = -1
		for i := range after {
			switch after[i] - before[i] {
			case 0:
			case datagrams:
				socket = i
			default:
				t.Errorf("socket %d got %d of %d datagrams of one source", i, after[i]-before[i], datagrams)
			}
		}
		return socket
	}
	split, owned := 0, [sockets]int{}
	for range sessions {
		device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
		a, b := owner(device, router), owner(router, device)
		if a < 0 || b < 0 {
			t.Fatalf("a source has no owner")
		}
		if owned[a]++; a != b {
			split++
		}
		owned[b]++
	}
	if split == 0 {
		t.Errorf("no session's legs had different owners, of %d: the test does not show that these work", sessions)
	}
	for i, n := range owned {
		if n == 0 {
			t.Errorf("socket %d owns no leg of %d", i, 2*sessions)
		}
	}
}
