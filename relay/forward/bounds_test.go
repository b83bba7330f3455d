package forward

import (
	"maps"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// overload makes the loop believe that it can't keep up, and that somebody quiet is here.
func (b bench) overload() {
	s := &b.l.share
	for range 10 {
		b.l.bounds.begin(s.now+time.Millisecond, 0, false)
		s.heaviest, s.quiet = 100*messageCost, s.now
	}
}

// atRate gives every leg a rate, in bytes, of which the burst is used up in the first hour.
func (b bench) atRate(perSecond, burst int64) {
	b.l.rate = rate{perSecond: perSecond, burst: burst}
	b.l.bounds.begin(time.Hour, 0, true)
	for _, leg := range b.s.legs() {
		leg.rate.paid.Store(b.l.line)
	}
}

// TestSessionRate: each leg has a rate of its own; what is over it is cut off a run
// and counted, and time brings more.
func TestSessionRate(t *testing.T) {
	b := newBench(t)
	b.bind(b.s.Device, loopback(9))
	b.bind(b.s.Router, loopback(10))
	b.atRate(1000, 1000)
	b.l.bounds.begin(time.Hour+250*time.Millisecond, 0, true)
	b.feed(t, loopback(9), payload(330, 100), 100)
	if got := b.s.Device.bytes.Load(); got != 200 {
		t.Errorf("%d bytes of the device's passed, want 2 datagrams of 100", got)
	}
	if got := b.Stats().Dropped[DropOverRate]; got != 2 {
		t.Errorf("%d datagrams dropped, want 2", got)
	}
	b.feed(t, loopback(10), payload(200, 100), 100)
	if got := b.s.Router.bytes.Load(); got != 200 {
		t.Errorf("%d bytes of the router's passed, want 200: its rate is its own", got)
	}
	b.l.bounds.begin(time.Hour+450*time.Millisecond, 0, true)
	b.feed(t, loopback(9), payload(250, 100), 100)
	if st := b.Stats(); b.s.Device.bytes.Load() != 450 || st.Dropped[DropOverRate] != 2 {
		t.Errorf("%d bytes of the device's passed later, dropped %v; want 450", b.s.Device.bytes.Load(), nonZero(st.Dropped))
	}
}

// TestSessionRateOfAMixedMessage holds for datagrams that go out one by one, too,
// and never for leg messages.
func TestSessionRateOfAMixedMessage(t *testing.T) {
	b := newBench(t)
	b.bind(b.s.Router, loopback(9))
	b.atRate(1000, 1000)
	b.l.bounds.begin(time.Hour+110*time.Millisecond, 0, true)
	secret := b.s.Device.Secret()
	bind := wire.LegMessage{Type: wire.TypeBind, Leg: b.s.Device.id, Counter: 1}.Append(nil, &secret)
	b.feed(t, address(benchDevice), append(payload(3*52, 52), bind...), 52)
	if st := b.Stats(); b.s.Device.bytes.Load() != 104 || st.Dropped[DropOverRate] != 1 || st.LegMessages != 1 {
		t.Errorf("%d bytes passed, dropped %v, %d leg messages", b.s.Device.bytes.Load(), nonZero(st.Dropped), st.LegMessages)
	}
}

// TestSessionRateOverSockets: a plane that is made with a rate holds it, and one
// without lets everything through.
func TestSessionRateOverSockets(t *testing.T) {
	r := start(t, func(c *Config) { c.SessionRate = 80_000 })
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	run := payload(60*1000, 1000)
	device.send(run, 1000, 0)
	router.want(run) // the burst is 64 KiB
	device.send(run, 1000, 0)
	device.quiet()
	r.stop()
	passed := r.Stats().Datagrams
	if got := r.dropped(); passed >= 120 || !maps.Equal(got, map[DropReason]uint64{DropOverRate: 120 - passed}) {
		t.Errorf("%d datagrams passed, dropped %v", passed, got)
	}
}

// TestBoundsAskForTheTimeWhenTheyNeedIt: a loop that keeps up has no use for it.
func TestBoundsAskForTheTimeWhenTheyNeedIt(t *testing.T) {
	b := newBench(t)
	b.l.begin(3)
	if b.l.share.now != 0 || b.l.bounded {
		t.Errorf("time %v, bounded %t after a read that found the end", b.l.share.now, b.l.bounded)
	}
	b.l.begin(b.l.reach)
	if b.l.share.now == 0 || !b.l.bounded {
		t.Errorf("time %v, bounded %t after a read that didn't", b.l.share.now, b.l.bounded)
	}
	b.l.begin(3)
	if b.l.bounded {
		t.Error("bounded after the end was found again")
	}
	b.l.rate = newRate(1 << 20)
	b.l.bounds.begin(time.Hour, 0, true)
	before := b.l.line
	b.l.begin(3)
	if !b.l.bounded || b.l.line == before {
		t.Error("a rate is not looked at")
	}
}

// TestAllThatWasReadCounts: a share can't tell otherwise what takes the time.
func TestAllThatWasReadCounts(t *testing.T) {
	b := newBench(t)
	for i := range b.l.batch {
		b.l.batch[i].N = 100 * i
	}
	n := b.l.reach
	b.l.begin(n)
	if got, want := b.l.share.read, cost(n, 100*n*(n-1)/2); got != want {
		t.Errorf("a batch costs %d, want %d", got, want)
	}
}

// TestFullBatchThatWasWaitedFor is no sign of a queue that stands: it was empty before.
func TestFullBatchThatWasWaitedFor(t *testing.T) {
	b := newBench(t)
	b.l.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := b.l.reader.ReadBatch(b.l.batch); !timedOut(err) {
		t.Fatal(err)
	}
	if b.l.begin(b.l.reach); b.l.bounded {
		t.Error("the loop believes that it does not keep up")
	}
}

func TestReach(t *testing.T) {
	for _, tt := range []struct{ n, bytes, want int }{
		{1, 1200, batchMessages},
		{batchMessages, batchMessages * 1200, batchMessages},
		{1, 0, batchMessages},
		{1, udpio.MaxBatchBytes, readLeast},
		{batchMessages, batchMessages * udpio.MaxBatchBytes, readLeast},
		{4, 4 * 14 * 1452, 12},
	} {
		if got := reach(tt.n, tt.bytes); got != tt.want {
			t.Errorf("after %d messages of %d bytes: %d, want %d", tt.n, tt.bytes, got, tt.want)
		}
	}
}
