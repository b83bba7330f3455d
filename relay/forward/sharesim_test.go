package forward

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"
)

// sim is a loop with its share, in simulated time: a queue of so many bytes, and
// what reading and sending cost. No message is real, and no clock is asked.
type sim struct {
	share share
	fair  bool // the share is asked
	room  int  // bytes that the kernel queues

	now    time.Duration
	queue  []arrival
	queued int
	flows  byNext
	reach  int
}

// flow is one leg's messages: of so many bytes, one in each gap. Those of no leg
// are strays: they are read, and belong nowhere.
type flow struct {
	leg   *Leg // nil: none
	bytes int
	gap   time.Duration // or that on the average, if it is random
	from  time.Duration // it begins then
	until time.Duration // zero: never

	random           *rand.Rand // may be nil
	next             time.Duration
	sent, carried    int
	refused, dropped int // by the kernel, by the share
	waits            []time.Duration
}

type arrival struct {
	flow *flow
	at   time.Duration
}

func (f *flow) lost() float64 { return float64(f.refused+f.dropped) / float64(max(f.sent, 1)) }

// wait is the p-th part of the waits from arriving to having been sent.
func (f *flow) wait(p float64) time.Duration {
	slices.Sort(f.waits)
	return f.waits[int(p*float64(len(f.waits)-1))]
}

const simOverhead = 1100 // bytes that the kernel books on top of a message's

func newSim(fair bool) *sim {
	return &sim{reach: batchMessages, share: share{patience: standsFor}, fair: fair, room: 16 << 20, now: time.Second}
}

// add makes a leg of a session of its own send.
func (s *sim) add(bytes int, gap time.Duration) *flow {
	return s.addOf(newSession(time.Time{}, Hooks{}).Device, bytes, gap)
}

func (s *sim) addOf(leg *Leg, bytes int, gap time.Duration) *flow {
	f := &flow{leg: leg, bytes: bytes, gap: gap}
	f.next = s.now + gap*time.Duration(len(s.flows)%97)/97
	heap.Push(&s.flows, f)
	return f
}

func readTakes(bytes int) time.Duration { return 700 + time.Duration(bytes*85/1000) }
func sendTakes(bytes int) time.Duration { return 1500 + time.Duration(bytes*85/1000) }

// run runs the loop for so long.
func (s *sim) run(d time.Duration) {
	for end := s.now + d; s.now < end; {
		s.arrive()
		waited := len(s.queue) == 0
		if waited {
			s.now = s.soonest()
			s.arrive()
		}
		n := min(s.reach, len(s.queue))
		batch := slices.Clone(s.queue[:n])
		s.queue = s.queue[n:]
		bytes := 0
		for _, a := range batch {
			bytes += a.flow.bytes
			s.queued -= a.flow.bytes + simOverhead
			s.now += readTakes(a.flow.bytes)
		}
		if atEnd := waited || n < s.reach; s.fair && (!atEnd || s.share.watching()) {
			s.share.begin(s.now, cost(n, bytes), atEnd)
		}
		s.reach = reach(n, bytes)
		var out []arrival
		for _, a := range batch {
			if a.flow.leg == nil {
				continue
			}
			if s.fair && s.share.watching() && !s.share.admit(a.flow.leg, a.flow.bytes) {
				a.flow.dropped++
				continue
			}
			out = append(out, a)
			s.now += sendTakes(a.flow.bytes)
		}
		for _, a := range out {
			a.flow.carried++
			a.flow.waits = append(a.flow.waits, s.now-a.at)
		}
	}
}

func (s *sim) soonest() time.Duration { return s.flows[0].next }

// arrive queues what has come until now, in the order of time.
func (s *sim) arrive() {
	for f := s.flows[0]; f.next <= s.now; f = s.flows[0] {
		if f.next >= f.from && (f.until == 0 || f.next < f.until) {
			s.take(arrival{f, f.next})
		}
		f.next += f.pause()
		heap.Fix(&s.flows, 0)
	}
}

func (f *flow) pause() time.Duration {
	if f.random == nil {
		return f.gap
	}
	return time.Duration(f.random.ExpFloat64() * float64(f.gap))
}

// take is the kernel's part.
func (s *sim) take(a arrival) {
	a.flow.sent++
	if s.queued > s.room {
		a.flow.refused++
		return
	}
	s.queued += a.flow.bytes + simOverhead
	s.queue = append(s.queue, a)
}

// byNext is a heap of flows: the one whose message comes next is the first.
type byNext []*flow

func (b byNext) Len() int           { return len(b) }
func (b byNext) Less(i, j int) bool { return b[i].next < b[j].next }
func (b byNext) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *byNext) Push(x any)        { *b = append(*b, x.(*flow)) }
func (b *byNext) Pop() any          { panic("flows stay") }
