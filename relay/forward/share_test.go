package forward

import (
	"math/rand/v2"
	"testing"
	"time"
)

// quietOnes are 100 legs with a small datagram every 10 to 100 ms each.
func (s *sim) quietOnes() (all []*flow) {
	for i := range 100 {
		all = append(all, s.add(200, time.Duration(10+i*9/10)*time.Millisecond))
	}
	return all
}

// together is what the flows have seen as if they were one.
func together(flows []*flow) *flow {
	sum := &flow{}
	for _, f := range flows {
		sum.sent += f.sent
		sum.carried += f.carried
		sum.refused += f.refused
		sum.dropped += f.dropped
		sum.waits = append(sum.waits, f.waits...)
	}
	return sum
}

// long is how long the longest runs are.
func long() time.Duration {
	if testing.Short() {
		return time.Second
	}
	return 2 * time.Second
}

const (
	run64K  = 53 * 1200
	onFull  = 8 * time.Microsecond // between two runs: the loop can read that much, but not send it
	onFull1 = 1500 * time.Nanosecond
)

// TestShareKeepsQuietOnes: beside those who send too much, quiet legs lose nothing and
// wait little, and the heavy ones get what is left, all alike. The same without a share
// shows what it is for.
func TestShareKeepsQuietOnes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		heavy int
		bytes int
		gap   time.Duration // of all heavy ones together
	}{
		{"one that sends runs", 1, run64K, onFull},
		{"one that sends runs, a little too fast", 1, run64K, 12 * time.Microsecond},
		{"ten that send runs", 10, run64K, onFull},
		{"one that sends single datagrams", 1, 1200, onFull1},
		{"300 that send single datagrams", 300, 1200, onFull1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var lost [2]float64
			var wait [2]time.Duration
			for i, fair := range []bool{false, true} {
				s := newSim(fair)
				var heavy []*flow
				for range tt.heavy {
					heavy = append(heavy, s.add(tt.bytes, tt.gap*time.Duration(tt.heavy)))
				}
				quiet := s.quietOnes()
				s.run(long())
				few := together(quiet)
				lost[i], wait[i] = few.lost(), few.wait(0.95)
				if few.dropped > 0 {
					t.Errorf("%d datagrams of quiet legs were over the share", few.dropped)
				}
				if !fair {
					continue
				}
				least, most := heavy[0].carried, heavy[0].carried
				for _, f := range heavy {
					least, most = min(least, f.carried), max(most, f.carried)
				}
				if least*10 < most*9 {
					t.Errorf("one heavy leg had %d messages carried, another %d", least, most)
				}
				if all := together(heavy); all.dropped == 0 || all.carried*5 < all.sent {
					t.Errorf("of %d messages of heavy legs %d were carried, %d dropped", all.sent, all.carried, all.dropped)
				}
			}
			if lost[0] < 0.1 || lost[1] > 0.005 {
				t.Errorf("quiet legs lost %.4f without a share, %.4f with", lost[0], lost[1])
			}
			if wait[1]*5 > wait[0] {
				t.Errorf("95 of 100 waited for up to %v without a share, %v with", wait[0], wait[1])
			}
		})
	}
}

// TestShareLetsEqualsBe: where nobody is quiet nothing is dropped before it is sent: it
// would help nobody and cost the reading.
func TestShareLetsEqualsBe(t *testing.T) {
	for _, tt := range []struct {
		name   string
		legs   int
		bytes  int
		gap    time.Duration
		random bool
	}{
		{"one leg", 1, run64K, onFull, false},
		{"ten legs", 10, run64K, onFull, false},
		{"a thousand, one datagram at a time", 1000, 1200, onFull1, false},
		{"ten legs at random", 10, run64K, onFull, true},
		{"a hundred, one datagram at a time, at random", 100, 1200, onFull1, true},
	} {
		s := newSim(true)
		random := rand.New(rand.NewPCG(1, 2))
		var all []*flow
		for range tt.legs {
			f := s.add(tt.bytes, tt.gap*time.Duration(tt.legs))
			if tt.random {
				f.random = random
			}
			all = append(all, f)
		}
		s.run(time.Second)
		sum := together(all)
		if lasted := time.Duration(s.share.engagedFor.Load()); sum.dropped > 0 || sum.refused == 0 || lasted > 0 {
			t.Errorf("%s: of %d messages %d were dropped by the share, which was engaged for %v, %d by the kernel", tt.name, sum.sent, sum.dropped, lasted, sum.refused)
		}
	}
}

// TestShareWhenReadingIsTooMuch: where a loop can't even read what comes, no share is small
// enough. It does not go to nothing: some of what was read is worth sending.
func TestShareWhenReadingIsTooMuch(t *testing.T) {
	s := newSim(true)
	heavy := s.add(run64K, 5*time.Microsecond)
	s.quietOnes()
	s.run(time.Second)
	if heavy.dropped == 0 || heavy.carried*50 < heavy.dropped {
		t.Errorf("%d messages of the heavy leg were carried, %d dropped", heavy.carried, heavy.dropped)
	}
}

// TestShareAfterAPause: an hour in which nothing came was no overload, and ends one.
func TestShareAfterAPause(t *testing.T) {
	s := newSim(true)
	s.add(run64K, onFull)
	s.quietOnes()
	s.run(500 * time.Millisecond)
	if !s.share.engaged {
		t.Fatal("it is not engaged")
	}
	before := s.share.engagedFor.Load()
	s.share.begin(s.now+time.Hour, cost(1, 40), true)
	if lasted := time.Duration(s.share.engagedFor.Load() - before); lasted > idleFor || s.share.engaged {
		t.Errorf("engaged %t, an hour of nothing counts as %v", s.share.engaged, lasted)
	}
}

// TestShareNeedsQuietOnesAgain: those of long ago are no reason to engage once more.
func TestShareNeedsQuietOnesAgain(t *testing.T) {
	s := newSim(true)
	s.add(run64K, 5*time.Microsecond) // the queue stands all the time
	quiet := s.quietOnes()
	for _, f := range quiet {
		f.until = s.now + 500*time.Millisecond
	}
	s.run(3 * time.Second)
	before := s.share.engagedFor.Load()
	s.run(time.Second)
	if lasted := time.Duration(s.share.engagedFor.Load() - before); s.share.engaged || lasted > 0 {
		t.Errorf("engaged %t, for %v with nobody quiet", s.share.engaged, lasted)
	}
}

// TestShareStopsClimbing: where nothing is over the share for long, it stays near what is asked for.
func TestShareStopsClimbing(t *testing.T) {
	s := newSim(true)
	heavy := s.add(run64K, onFull)
	s.quietOnes()
	for !s.share.engaged {
		s.run(time.Millisecond)
	}
	heavy.gap = 100 * time.Microsecond
	for range 100 {
		s.run(time.Millisecond)
		if most := int64(run64K+messageCost) * int64(windowTime/onFull); s.share.perStep > 2*most {
			t.Fatalf("a leg may carry %d a step, and the heaviest asks for %d in a window", s.share.perStep, most)
		}
	}
}

// TestShareLetsBurstsOfEqualsBe: who sends in bursts has sent little at the beginning of
// one, and little in a window at the beginning of which one ends. He is no quiet leg.
func TestShareLetsBurstsOfEqualsBe(t *testing.T) {
	for _, burst := range []time.Duration{10 * time.Millisecond, 40 * time.Millisecond} {
		s := newSim(true)
		var all []*flow
		for range 20 {
			all = append(all, s.add(run64K, 4*onFull))
		}
		for range 200 {
			for i, f := range all {
				if slot := time.Duration(i) * burst / 4; f.until <= s.now { // four at a time
					turn := 5 * burst
					f.from = s.now - s.now%turn + slot
					if f.from+burst <= s.now {
						f.from += turn
					}
					f.until = f.from + burst
				}
			}
			s.run(5 * time.Millisecond)
		}
		sum := together(all)
		if lasted := time.Duration(s.share.engagedFor.Load()); sum.dropped > 0 || sum.refused == 0 || lasted > 0 {
			t.Errorf("bursts of %v: of %d messages %d were dropped by the share, which was engaged for %v, %d by the kernel", burst, sum.sent, sum.dropped, lasted, sum.refused)
		}
	}
}

// TestShareBesideStrays: what belongs to no leg takes the loop's time and has no share. It
// must not take the quiet legs' share from them, nor keep the share going when
// nobody heavy is left.
func TestShareBesideStrays(t *testing.T) {
	for _, gap := range []time.Duration{time.Microsecond, 2 * time.Microsecond, 600 * time.Nanosecond} {
		var lost [2]float64
		for i, fair := range []bool{false, true} {
			s := newSim(fair)
			s.addOf(nil, 1200, gap)
			heavy, quiet := s.add(run64K, onFull), s.quietOnes()
			s.run(time.Second)
			lost[i] = together(quiet).lost()
			if fair && (heavy.dropped == 0 || heavy.carried == 0) {
				t.Errorf("strays each %v: %d messages of the heavy leg were carried, %d dropped", gap, heavy.carried, heavy.dropped)
			}
			heavy.until = s.now
			s.run(quietFor + 2*idleFor)
			if n := together(quiet).dropped; n > 0 {
				t.Errorf("strays each %v: %d datagrams of quiet legs were over the share", gap, n)
			}
			if s.share.engaged {
				t.Errorf("strays each %v: it is engaged with nobody heavy", gap)
			}
		}
		if lost[1] > lost[0]*1.01 {
			t.Errorf("strays each %v: quiet legs lost %.4f without a share, %.4f with", gap, lost[0], lost[1])
		}
	}
}

// TestShareLeavesWhatQuietOnesNeed: the end of the queue is never found, though there are
// steps in which nobody but quiet legs sends. The share does not fall below what they ask for.
func TestShareLeavesWhatQuietOnesNeed(t *testing.T) {
	s := share{patience: standsFor}
	heavy, quiet := newSession(time.Time{}, Hooks{}).Device, newSession(time.Time{}, Hooks{}).Device
	held := 0
	for step := range 3000 {
		s.begin(time.Second+time.Duration(step)*stepTime, cost(1, 200), false)
		if step%20 == 0 {
			for range 1000 {
				s.admit(heavy, run64K)
			}
		}
		if step%5 == 1 && !s.admit(quiet, 200) {
			t.Fatalf("a quiet leg was over the share of %d in step %d", s.perStep, step)
		}
		if s.engaged {
			held++
		}
	}
	if held < 2900 {
		t.Errorf("it was engaged for %d steps only", held)
	}
	for leg, renews := range map[*Leg]bool{heavy: true, quiet: false} {
		leg.fair.paid.Store(s.line)
		s.over = 0
		if s.admit(leg, 200) || (s.over != 0) != renews {
			t.Errorf("what is over the share of a leg keeps the share going: %t, want %t", s.over != 0, renews)
		}
	}
}

// TestShareOfATunnelAlone: the acknowledgements that come back are few, but nobody else's.
func TestShareOfATunnelAlone(t *testing.T) {
	s := newSim(true)
	data := s.add(run64K, onFull)
	answers := s.add(40, 64*onFull)
	answers.leg = data.leg.peer
	s.run(time.Second)
	if n := data.dropped + answers.dropped; n > 0 || data.refused == 0 {
		t.Errorf("%d messages of a tunnel that was alone were dropped, %d by the kernel", n, data.refused)
	}
}

// TestShareLetsBurstsPass: what the loop works off within a few milliseconds is no overload.
func TestShareLetsBurstsPass(t *testing.T) {
	s := newSim(true)
	heavy := s.add(run64K, 9*time.Microsecond) // more than the loop can carry,
	quiet := s.quietOnes()
	for at := s.now; at < 3*time.Second; at += 50 * time.Millisecond { // but never for long
		heavy.from, heavy.until = at, at+3*time.Millisecond
		s.run(at + 50*time.Millisecond - s.now)
	}
	if n := heavy.dropped + together(quiet).dropped; n > 0 || heavy.carried == 0 {
		t.Errorf("%d messages were dropped, %d carried of the bursts", n, heavy.carried)
	}
}

// TestShareEnds: when the heavy leg has gone, or sends less, nothing is dropped any
// more, and after a while nothing is looked at.
func TestShareEnds(t *testing.T) {
	s := newSim(true)
	heavy, quiet := s.add(run64K, onFull), s.quietOnes()
	s.run(time.Second)
	if !s.share.engaged || heavy.dropped == 0 {
		t.Fatal("it is not engaged")
	}
	heavy.gap = 100 * time.Microsecond
	s.run(500 * time.Millisecond)
	dropped := heavy.dropped
	s.run(500 * time.Millisecond)
	if s.share.engaged || s.share.watching() || heavy.dropped != dropped {
		t.Errorf("engaged %t, %d messages dropped after the overload", s.share.engaged, heavy.dropped-dropped)
	}
	if lasted := time.Duration(s.share.engagedFor.Load()); lasted < 900*time.Millisecond || lasted > 1400*time.Millisecond {
		t.Errorf("it counts %v of overload, of a second", lasted)
	}
	if together(quiet).dropped > 0 {
		t.Error("quiet legs were over the share")
	}
	if s.share.seeming != nil {
		t.Error("it keeps a leg in memory")
	}
}

// TestShareEndsWithoutQuietOnes: with them its use has gone.
func TestShareEndsWithoutQuietOnes(t *testing.T) {
	s := newSim(true)
	heavy, quiet := s.add(run64K, onFull), s.quietOnes()
	for _, f := range quiet {
		f.until = s.now + 500*time.Millisecond
	}
	s.run(2 * time.Second)
	dropped := heavy.dropped
	s.run(time.Second)
	if dropped == 0 || s.share.engaged || heavy.dropped != dropped {
		t.Errorf("engaged %t, %d messages dropped while somebody was quiet, %d later", s.share.engaged, dropped, heavy.dropped-dropped)
	}
}

// TestShareOfALegThatMoves: a leg that comes from another loop, whose line is far
// ahead or behind, is soon treated like any other.
func TestShareOfALegThatMoves(t *testing.T) {
	for _, paid := range []int64{-1 << 50, 1 << 50} {
		s := newSim(true)
		heavy, quiet := s.add(run64K, onFull), s.quietOnes()
		s.run(time.Second)
		for _, f := range append(quiet, heavy) {
			f.leg.fair.paid.Store(paid)
			f.carried, f.dropped = 0, 0
		}
		s.run(500 * time.Millisecond)
		if few := together(quiet); few.dropped > 0 || few.carried < 9*len(quiet) {
			t.Errorf("paid %d: %d datagrams of quiet legs carried, %d dropped", paid, few.carried, few.dropped)
		}
		if heavy.carried < 1000 || heavy.dropped < 1000 {
			t.Errorf("paid %d: %d messages of the heavy leg carried, %d dropped", paid, heavy.carried, heavy.dropped)
		}
	}
}

func TestTally(t *testing.T) {
	var x tally
	if got := x.most(5); got != 0 {
		t.Errorf("a new one has %d", got)
	}
	x.add(4, 3<<20)
	x.add(5, 1<<20)
	if got := x.add(5, 1<<20); got != 2<<20 {
		t.Errorf("%d in a window, want %d", got, 2<<20)
	}
	for window, want := range map[int64]int64{3: 0, 4: 0, 5: 3 << 20, 6: 2 << 20, 7: 0, 5 + 1<<15: 0} {
		if got := x.most(window); got != want {
			t.Errorf("at window %d it has %d, want %d", window, got, want)
		}
	}
	if x.add(65535, 1<<50); x.most(65536) != sumMask*sumUnit {
		t.Errorf("%d of more than it can hold, or over the end of the numbers", x.most(65536))
	}
}
