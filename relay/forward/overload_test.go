package forward

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// lockstep is a loop with real sockets in simulated time: the test sends what comes
// in the time that a batch is said to take, and has the loop carry the next batch.
// What finds the socket's queue full the kernel drops. No clock is asked.
type lockstep struct {
	bench
	t   *testing.T
	now time.Duration

	greedy     *udpio.Writer
	greedyOut  []udpio.Message
	greedyNext time.Duration
	quiet      []*lockstepLeg
}

// lockstepLeg is a quiet session's device leg: the socket that it sends from, and the
// one that its datagrams come out at.
type lockstepLeg struct {
	from, to *net.UDPConn
	leg      *Leg
	next     time.Duration
	sent     int
}

// The greedy leg sends twice as much as the loop can carry, and the loop can read it.
const (
	lockstepReads  = 800 * time.Nanosecond // a datagram
	lockstepSends  = 2200 * time.Nanosecond
	lockstepGreedy = 1500 * time.Nanosecond // between two datagrams
	lockstepQuiet  = 20 * time.Millisecond  // of each quiet leg
)

func newLockstep(t *testing.T) *lockstep {
	x := &lockstep{bench: newBench(t), t: t, now: time.Second, greedyNext: time.Second}
	from, err := udpio.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { from.Close() })
	x.bind(x.s.Device, udpio.AddrFrom(from.LocalAddr()))
	x.bind(x.s.Router, x.socketAt())
	x.greedy = from.NewWriter(batchMessages)
	for i := range batchMessages { // each longer than the one before: the kernel is not to merge them
		m := udpio.Message{Buf: payload(1200+i, 1200+i), N: 1200 + i}
		m.Path.Remote = udpio.AddrFrom(x.LocalAddr())
		x.greedyOut = append(x.greedyOut, m)
	}
	for i := range 100 {
		s, err := x.NewSession(Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		l := &lockstepLeg{from: x.socket(), to: x.socket(), leg: s.Device}
		l.next = x.now + lockstepQuiet*time.Duration(i)/100
		x.bind(s.Device, addrOf(l.from))
		x.bind(s.Router, addrOf(l.to))
		x.quiet = append(x.quiet, l)
	}
	return x
}

func (x *lockstep) socket() *net.UDPConn {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { c.Close() })
	return c
}

func (x *lockstep) socketAt() udpio.Addr { return addrOf(x.socket()) }

func addrOf(c *net.UDPConn) udpio.Addr {
	return udpio.AddrFrom(c.LocalAddr().(*net.UDPAddr).AddrPort())
}

// run runs for so long, in simulated time.
func (x *lockstep) run(d time.Duration) {
	relay := net.UDPAddrFromAddrPort(x.LocalAddr())
	for end := x.now + d; x.now < end; {
		for _, l := range x.quiet {
			for ; l.next <= x.now; l.next += lockstepQuiet {
				if _, err := l.from.WriteTo(payload(100, 100), relay); err != nil {
					x.t.Fatal(err)
				}
				l.sent++
			}
		}
		n := min(int((x.now-x.greedyNext)/lockstepGreedy), batchMessages)
		if err := x.greedy.WriteBatch(x.greedyOut[:max(n, 1)]); err != nil {
			x.t.Fatal(err)
		}
		x.greedyNext += time.Duration(max(n, 1)) * lockstepGreedy
		if x.greedyNext < x.now {
			continue // there is more to come first
		}
		x.carryBatch()
	}
}

// carryBatch has the loop do what it does with one batch.
func (x *lockstep) carryBatch() {
	x.l.conn.SetReadDeadline(time.Now().Add(patience))
	n, err := x.l.reader.ReadBatch(x.l.batch[:x.l.reach])
	if err != nil {
		x.t.Fatal(err)
	}
	x.l.bounds.begin(x.now, cost(n, n*1200), n < x.l.reach)
	out := x.l.route(x.l.batch[:n])
	if err := x.l.send(out); err != nil {
		x.t.Fatal(err)
	}
	x.now += time.Duration(n)*lockstepReads + time.Duration(len(out))*lockstepSends
}

// arrived reads what has come out for each quiet leg, and counts what was sent.
func (x *lockstep) arrived() (arrived, sent int) {
	for _, l := range x.quiet {
		l.to.SetReadDeadline(time.Now().Add(patience))
		for range l.leg.datagrams.Load() {
			if n, err := l.to.Read(make([]byte, 200)); err != nil || n != 100 {
				x.t.Fatalf("%d bytes came, %v", n, err)
			}
			arrived++
		}
		sent += l.sent
	}
	return arrived, sent
}

// TestGreedyBesideQuiet: one leg sends far more than the loop can carry, 100 send a
// datagram now and then. With its share the loop carries what is quiet; without,
// what comes is lost in the kernel, whosever it is.
func TestGreedyBesideQuiet(t *testing.T) {
	if testing.Short() {
		t.Skip("sends a quarter of a million datagrams")
	}
	for _, tt := range []struct {
		name     string
		patience time.Duration
		lostOver float64 // at least
		lost     float64 // at most
	}{
		{"with a share", standsFor, 0, 0.02},
		{"without", time.Hour, 0.2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newLockstep(t)
			x.l.share.patience = tt.patience
			x.run(200 * time.Millisecond)
			arrived, sent := x.arrived()
			lost := float64(sent-arrived) / float64(sent)
			t.Logf("quiet: %d of %d arrived; dropped %v; greedy: %d carried", arrived, sent, nonZero(x.Stats().Dropped), x.s.Device.datagrams.Load())
			if lost < tt.lostOver || lost > tt.lost {
				t.Errorf("quiet legs lost %.3f of their datagrams", lost)
			}
			if over := x.Stats().Dropped[DropOverShare]; (over > 5000) != (tt.patience == standsFor) {
				t.Errorf("%d datagrams were over the share", over)
			}
			if x.s.Device.datagrams.Load() < 10_000 {
				t.Errorf("the greedy leg had %d datagrams carried", x.s.Device.datagrams.Load())
			}
		})
	}
}

// TestOverloadIsCounted: only what time the share is engaged for.
func TestOverloadIsCounted(t *testing.T) {
	b := newBench(t)
	b.l.bounds.begin(time.Second, 0, false)
	if got := b.Stats().Overload; got != 0 {
		t.Errorf("%v of overload before there was any", got)
	}
	b.overload()
	before := b.Stats().Overload
	b.l.bounds.begin(b.l.share.now+3*time.Millisecond, 0, true)
	if got := b.Stats().Overload - before; got != 3*time.Millisecond {
		t.Errorf("3ms of overload count as %v", got)
	}
}
