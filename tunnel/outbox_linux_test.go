package tunnel

import (
	"bytes"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/internal/udpio"
)

const (
	runSize = 1400               // of a datagram
	runFull = runBytes / runSize // datagrams
)

// run is a run of n datagrams with marks from mark on.
func run(n int, mark byte) (b []byte) {
	for i := range n {
		b = append(b, quicDatagram(runSize, mark+byte(i))...)
	}
	return b
}

// put hands b over as quic-go does, with a segment size if there is one.
func put(t testing.TB, l *offloadLeg, b []byte, segSize int) {
	t.Helper()
	var oob []byte
	if segSize > 0 {
		oob = appendCmsg(oob, unix.IPPROTO_UDP, unix.UDP_SEGMENT, []byte{byte(segSize), byte(segSize >> 8)})
	}
	if n, _, err := l.WriteMsgUDP(b, oob, nil); n != len(b) || err != nil {
		t.Fatalf("WriteMsgUDP: %d, %v", n, err)
	}
}

// TestHold: full runs wait, and nothing else does.
func TestHold(t *testing.T) {
	full := runFull * runSize
	for _, c := range []struct {
		what    string
		n, size int
		hold    bool
	}{
		{"a full run", full, runSize, true},
		{"a full run of the smallest datagrams", 16 * 1252, 1252, true},
		{"a run with room for another datagram", full - runSize, runSize, false},
		{"a run that ends with a short datagram", full - 1, runSize, false},
		{"more than a run", full + runSize, runSize, false},
		{"a lone datagram", runSize, 0, false},
		{"an acknowledgement", 30, 0, false},
	} {
		o := newOutbox(func() {})
		if got := o.hold(udpio.Message{Buf: make([]byte, c.n), N: c.n, SegSize: c.size}); got != c.hold || o.armed != c.hold {
			t.Errorf("%s: held %v, timer %v", c.what, got, o.armed)
		}
		o.timer.Stop()
	}
}

// TestJoin: two full runs wait for a third, and all leave as one, in order.
func TestJoin(t *testing.T) {
	l := packetConn(newBoundLeg(t, newFakeRelay(t, "127.0.0.1:0"))).(*offloadLeg)
	if o := l.socket.Load().conn.Offload(); !o.GRO || !o.GSO {
		t.Skipf("needs a kernel with GSO and GRO: %+v", o)
	}
	l.SetReadDeadline(time.Now().Add(legPatience))
	var want []byte
	l.writeMu.Lock()
	l.outbox.armed = true // no timer in this test
	l.writeMu.Unlock()
	for i := range heldRuns + 1 {
		b := run(runFull, byte(i*runFull))
		want = append(want, b...)
		put(t, l, b, runSize)
		clear(b) // it is quic-go's again
	}
	if err := l.fill(); err != nil {
		t.Fatal(err)
	}
	if len(l.have) != 1 || !bytes.Equal(l.have[0].Buf[:l.have[0].N], want) {
		t.Errorf("%d runs, the first of %d bytes; want one of %d", len(l.have), l.have[0].N, len(want))
	}
}

// TestNothingStays: what is held leaves with the next datagram, or with the timer
// when there is none; in order.
func TestNothingStays(t *testing.T) {
	for what, then := range map[string]func(t *testing.T, l *offloadLeg) []byte{
		"a lone datagram": func(t *testing.T, l *offloadLeg) []byte {
			b := quicDatagram(60, 99)
			put(t, l, b, 0)
			return b
		},
		"the timer":  func(*testing.T, *offloadLeg) []byte { return nil },
		"keep-alive": func(_ *testing.T, l *offloadLeg) []byte { l.send(udpio.Message{Buf: []byte{0}, N: 1}); return nil },
	} {
		t.Run(what, func(t *testing.T) {
			l := packetConn(newBoundLeg(t, newFakeRelay(t, "127.0.0.1:0"))).(*offloadLeg)
			put(t, l, run(runFull, 0), runSize)
			last := then(t, l)
			for i := range runFull {
				wantRead(t, l.leg, quicDatagram(runSize, byte(i)))
			}
			if last != nil {
				wantRead(t, l.leg, last)
			}
		})
	}
}

// TestNothingHeldAfterClose: a full run is refused then, and no timer begins.
func TestNothingHeldAfterClose(t *testing.T) {
	l := packetConn(newBoundLeg(t, newFakeRelay(t, "127.0.0.1:0"))).(*offloadLeg)
	l.Close()
	oob := appendCmsg(nil, unix.IPPROTO_UDP, unix.UDP_SEGMENT, []byte{runSize & 0xff, runSize >> 8})
	if _, _, err := l.WriteMsgUDP(run(runFull, 0), oob, nil); err != net.ErrClosed || l.outbox.held != 0 || l.outbox.armed {
		t.Errorf("%v, %d held, timer: %t", err, l.outbox.held, l.outbox.armed)
	}
}

// TestHeldAllocs: holding and joining do not allocate.
func TestHeldAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l := packetConn(newBoundLeg(t, newFakeRelay(t, "127.0.0.1:0"))).(*offloadLeg)
	full, oob := run(runFull, 0), appendCmsg(nil, unix.IPPROTO_UDP, unix.UDP_SEGMENT, []byte{runSize & 0xff, runSize >> 8})
	allocs := testing.AllocsPerRun(200, func() { l.WriteMsgUDP(full, oob, nil) })
	if allocs > 0.1 { // the timer's goroutine may fall into it, and the outbox's memory
		t.Errorf("%.2f allocations for a run", allocs)
	}
}
