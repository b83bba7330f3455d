package forward

import (
	"testing"
	"time"
)

// shortHeader is payload of established QUIC connections.
func shortHeader(n, segSize int) []byte {
	b := payload(n, segSize)
	for at := 0; at < n; at += segSize {
		b[at] &^= longHeader
	}
	return b
}

// TestControlConnectionsDoNotMove: a short-header datagram reaches the control
// plane from an expected address only. From elsewhere QUIC would answer it with
// a path challenge many times its size.
func TestControlConnectionsDoNotMove(t *testing.T) {
	b := newBench(t)
	from, elsewhere := address(5), address(6)
	b.feed(t, from, payload(100, 100), 0)
	_, addr, err := b.control.ReadFrom(make([]byte, 1500))
	if err != nil {
		t.Fatal(err)
	}
	forgetFirst := b.control.Expect(addr)
	forgetSecond := b.control.Expect(addr) // a client may dial twice from one socket
	for _, step := range []struct {
		name    string
		do      func()
		control uint64
		strayed uint64
	}{
		{"expected", func() { b.feed(t, from, shortHeader(100, 50), 50) }, 3, 0},
		{"elsewhere", func() { b.feed(t, elsewhere, shortHeader(100, 50), 50) }, 3, 2},
		{"one connection ended", func() { forgetFirst(); b.feed(t, from, shortHeader(50, 50), 0) }, 4, 2},
		{"both ended", func() { forgetSecond(); b.feed(t, from, shortHeader(50, 50), 0) }, 4, 3},
	} {
		step.do()
		if st := b.Stats(); st.Control != step.control || st.Dropped[DropControlStray] != step.strayed {
			t.Fatalf("%s: %d to the control plane, %d dropped; want %d and %d", step.name,
				st.Control, st.Dropped[DropControlStray], step.control, step.strayed)
		}
	}
	if b.control.peers.Len() != 0 {
		t.Errorf("%d addresses are still expected", b.control.peers.Len())
	}
}

// TestLegWithoutBindsLosesItsAddress: an address that nobody vouches for any
// more gets nothing.
func TestLegWithoutBindsLosesItsAddress(t *testing.T) {
	b := newBench(t)
	now := time.Now()
	b.s.Device.heard, b.s.Router.heard = now, now.Add(-legTimeout+time.Second)
	b.expire(b.s.Router, now)
	if !b.s.Router.Bound() {
		t.Fatal("a leg lost its address too early")
	}
	b.expire(b.s.Router, now.Add(time.Second))
	b.expire(b.s.Device, now.Add(time.Second))
	router := address(benchRouter)
	if b.s.Router.Bound() || b.table.get(&router) != nil || !b.s.Device.Bound() {
		t.Fatal("the quiet leg has an address, or the other has none")
	}
}
