package forward

import (
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// carried is what both legs have carried.
func (s *Session) carried() uint64 { return s.Device.bytes.Load() + s.Router.bytes.Load() }

// TestLimitOverSockets: both legs use up one limit, then nothing goes through
// and the session ends.
func TestLimitOverSockets(t *testing.T) {
	r := start(t, nil)
	ended := make(chan EndReason, 1)
	s := r.session(t, Hooks{Ended: func(why EndReason) { ended <- why }})
	device, router := r.endpoint(t, "127.0.0.1", s.Device), r.endpoint(t, "127.0.0.1", s.Router)
	device.bind()
	router.bind()
	device.sendOne(payload(700, 700))
	router.want(payload(700, 700)) // before there is a limit
	s.Limit(1000, time.Time{})
	device.sendOne(payload(400, 400))
	router.want(payload(400, 400))
	router.sendOne(payload(400, 400))
	device.want(payload(400, 400))
	device.sendOne(payload(400, 400))
	device.quiet()
	if got := r.dropped(); !maps.Equal(got, map[DropReason]uint64{DropLimited: 1}) {
		t.Errorf("dropped %v", got)
	}
	select {
	case why := <-ended:
		if why != EndLimited {
			t.Errorf("ended: %v", why)
		}
	case <-time.After(patience):
		t.Fatal("not ended")
	}
	router.quiet()
	r.forgotten(t, s)
}

// TestLimit feeds the device's and the router's messages by turns and counts
// what is carried.
func TestLimit(t *testing.T) {
	soon := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		name    string
		limit   func(s *Session)
		segSize int
		sizes   []int // the device's message first
		want    uint64
		dropped uint64 // datagrams
	}{
		{"none", func(*Session) {}, 100, []int{100, 200}, 300, 0},
		{"to the byte", func(s *Session) { s.Limit(300, soon) }, 100, []int{100, 200, 100}, 300, 1},
		{"both legs take from it", func(s *Session) { s.Limit(300, soon) }, 100, []int{200, 200}, 200, 2},
		{"one leg takes it all", func(s *Session) { s.Limit(300, soon) }, 100, []int{0, 300, 0, 100}, 300, 1},
		{"a run is not cut", func(s *Session) { s.Limit(299, soon) }, 100, []int{300}, 0, 3},
		{"nothing smaller slips by", func(s *Session) { s.Limit(300, soon) }, 100, []int{200, 200, 1}, 200, 3},
		{"time alone", func(s *Session) { s.Limit(0, soon) }, 100, []int{1000, 1000}, 2000, 0},
		{"the newest counts", func(s *Session) { s.Limit(100, soon); s.Limit(300, soon) }, 100, []int{200, 100, 100}, 300, 1},
		{"the newest is smaller", func(s *Session) { s.Limit(300, soon); s.Limit(100, soon) }, 100, []int{100, 100}, 100, 1},
		{"lifted", func(s *Session) { s.Limit(100, soon); s.Limit(0, time.Time{}) }, 100, []int{200, 200}, 400, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			tt.limit(b.s)
			b.turns(t, tt.segSize, tt.sizes...)
			if got := b.s.carried(); got != tt.want {
				t.Errorf("carried %d bytes, want %d", got, tt.want)
			}
			if got := b.Stats().Dropped[DropLimited]; got != tt.dropped {
				t.Errorf("dropped %d datagrams, want %d", got, tt.dropped)
			}
		})
	}
}

// turns has the loop carry messages of these sizes, of the device and the
// router by turns; of size 0 there is none.
func (b bench) turns(t *testing.T, segSize int, sizes ...int) {
	t.Helper()
	b.bind(b.s.Device, loopback(9))
	b.bind(b.s.Router, loopback(10))
	for i, n := range sizes {
		if n > 0 {
			b.feed(t, loopback(uint16(9+i%2)), payload(n, segSize), segSize)
		}
	}
}

// TestLimitCountsFromTheCall: what was carried before does not count, neither
// without a limit nor under an older one that is used up.
func TestLimitCountsFromTheCall(t *testing.T) {
	b := newBench(t)
	b.turns(t, 100, 500, 500)
	for range 2 {
		before := b.s.carried()
		b.s.Limit(300, time.Time{})
		b.turns(t, 100, 100, 100, 100, 100)
		if got := b.s.carried() - before; got != 300 {
			t.Errorf("carried %d bytes, want 300", got)
		}
	}
}

// TestLimitOfABatch: it holds within one batch too, and for each datagram of a
// message that is taken apart.
func TestLimitOfABatch(t *testing.T) {
	b := newBench(t)
	b.bind(b.s.Router, loopback(9))
	b.s.Limit(120, time.Time{})
	secret := b.s.Device.Secret()
	bind := wire.LegMessage{Type: wire.TypeBind, Leg: b.s.Device.id, Counter: 1}.Append(nil, &secret)
	b.feed(t, address(benchDevice), append(payload(3*52, 52), bind...), 52)
	if st := b.Stats(); b.s.carried() != 104 || st.Dropped[DropLimited] != 1 || st.LegMessages != 1 {
		t.Errorf("carried %d bytes, dropped %v, %d leg messages", b.s.carried(), nonZero(st.Dropped), st.LegMessages)
	}
	b.s.Limit(500, time.Time{})
	batch := udpio.NewBatch(batchMessages)
	for i := range batch {
		batch[i].N, batch[i].SegSize, batch[i].Path.Remote = copy(batch[i].Buf, payload(100, 100)), 100, address(benchDevice)
	}
	if got := len(b.l.route(batch)); got != 5 {
		t.Errorf("%d messages of a batch go out, want 5", got)
	}
}

// TestLimitBetweenLoops: two loops that carry the two ways at once don't carry
// a byte too much, nor one too little.
func TestLimitBetweenLoops(t *testing.T) {
	const size, limit = 1200, 1 << 31 // enough for the two to meet
	b := newBench(t)
	b.s.Limit(limit, time.Time{})
	var wg sync.WaitGroup
	for _, leg := range b.s.legs() {
		l := newLoop(b.Plane, b.l.conn, make([]byte, loopBytes))
		wg.Go(func() {
			for range limit / size {
				l.carry(&udpio.Message{N: size, SegSize: size}, leg)
			}
		})
	}
	wg.Wait()
	if got, want := b.s.carried(), uint64(limit/size*size); got != want {
		t.Errorf("carried %d bytes, want %d", got, want)
	}
}

// TestLimitEndsTheSession: it does so although the session carries on.
func TestLimitEndsTheSession(t *testing.T) {
	const step, bytes = 10 * time.Second, 1000 // what is carried each step
	for _, tt := range []struct {
		name  string
		limit func(s *Session, now time.Time)
		want  EndReason
		after time.Duration
	}{
		{"time", func(s *Session, now time.Time) { s.Limit(0, now.Add(25*time.Second)) }, EndLimited, 25 * time.Second},
		{"bytes", func(s *Session, now time.Time) { s.Limit(3*bytes, time.Time{}) }, EndLimited, 2 * step},
		{"bytes before time", func(s *Session, now time.Time) { s.Limit(3*bytes, now.Add(time.Hour)) }, EndLimited, 2 * step},
		{"a time that has passed", func(s *Session, now time.Time) { s.Limit(0, now.Add(-time.Hour)) }, EndLimited, 0},
		{"more than it carries", func(s *Session, now time.Time) { s.Limit(1<<40, now.Add(time.Hour)) }, EndIdle, 9*step + time.Minute},
		{"lifted", func(s *Session, now time.Time) { s.Limit(1, now); s.Limit(0, time.Time{}) }, EndIdle, 9*step + time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, made := newPlane(testConfig()), time.Now()
				var took time.Duration
				var why EndReason
				s, err := p.NewSession(Hooks{Ended: func(w EndReason) { why, took = w, time.Since(made) }})
				if err != nil {
					t.Fatal(err)
				}
				for i, leg := range s.legs() {
					leg.path.Store(&udpio.Path{Remote: address(i)})
					leg.heard = made.Add(time.Hour)
				}
				tt.limit(s, made)
				go p.sweep(t.Context())
				l := &loop{plane: p}
				for range 10 {
					l.carry(&udpio.Message{N: bytes, SegSize: bytes}, s.Device)
					time.Sleep(step)
				}
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if why != tt.want || took < tt.after || took > tt.after+2*sweepInterval {
					t.Errorf("%v after %v, want %v after %v", why, took, tt.want, tt.after)
				}
				p.forgotten(t, s)
			})
		})
	}
}
