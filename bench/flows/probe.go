package flows

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Late is how long a datagram of a Probe is waited for. One that comes later, or
// never, counts as having taken so long.
const Late = 100 * time.Millisecond

// places is how many datagrams of a Probe may be under way.
const places = 1024

// Probe sends datagrams now and then, and tells how long each was on its way, one
// way. The way begins when the source hands the datagram to the kernel, and ends
// when the kernel has it at the sink's side again, by the kernel's own clock: what
// counts is the relay, and not how soon a thread of the sink gets a processor.
//
// A datagram is sent when it is due, whether those before it have come or not.
type Probe struct {
	// static
	source, sink *Port
	ways         []way
	every        time.Duration
	body         []byte
	series       series
	running      sync.WaitGroup
	stop         atomic.Bool
	rank         atomic.Int32

	// of the thread
	in     *inbox
	number uint64

	mu      sync.Mutex
	under   [places]sending   // guarded by mu: number n is at n%places
	took    [][]time.Duration // guarded by mu: by way
	failure error             // guarded by mu
}

// way is some flows that take turns.
type way struct {
	flows  []Flow
	routes []*route
	out    *outbox
	next   int
}

// sending is a datagram under way; at is zero when there is none.
type sending struct {
	number uint64
	way    int
	at     time.Time
}

// NewProbe makes a Probe that does not send yet. The ways take turns, and so do
// the flows of each; the time between two datagrams is random, and every on the
// average. Flow i of each way goes from endpoint i of source to endpoint i of sink;
// both are the Probe's until it is closed.
func NewProbe(source, sink *Port, every time.Duration, ways ...[]Flow) (*Probe, error) {
	p := &Probe{source: source, sink: sink, every: every, in: newInbox(loadBatch), body: newBody(), series: newSeries(), took: make([][]time.Duration, len(ways))}
	if len(ways) == 0 {
		return nil, ErrNoFlows
	}
	for _, flows := range ways {
		if err := validate(flows); err != nil {
			return nil, err
		}
		w := way{flows: flows, out: newOutbox(1, len(flows[0].Prefix)+PayloadSize)}
		for i, f := range flows {
			w.routes = append(w.routes, newRoute(i, f.To))
		}
		copy(w.out.message(0)[len(flows[0].Prefix):], Payload(0))
		p.ways = append(p.ways, w)
	}
	return p, sink.stamp()
}

// Start begins to send, until Close. It has a thread of its own, of the highest
// Rank that the system permits.
func (p *Probe) Start() {
	p.running.Go(func() {
		runtime.LockOSThread() // and never unlock: a thread of that rank is not fit for other use
		p.rank.Store(int32(takeRank()))
		for due := time.Now(); !p.stop.Load(); due = due.Add(p.pause()) {
			err := p.receiveUntil(due)
			if err == nil {
				err = p.send()
			}
			if err != nil {
				p.mu.Lock()
				p.failure = err
				p.mu.Unlock()
				return
			}
		}
	})
}

// Close ends the Probe, and returns when it has ended. The Ports are the caller's
// again.
func (p *Probe) Close() {
	p.stop.Store(true)
	p.running.Wait()
}

// Rank is that of the Probe's thread.
func (p *Probe) Rank() Rank { return Rank(p.rank.Load()) }

// Take returns how long the datagrams of each way took whose fate has been known
// since the last Take, or why the Probe has ended.
func (p *Probe) Take() ([][]time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.under {
		if s := &p.under[i]; !s.at.IsZero() && time.Since(s.at) > Late {
			p.settle(s, Late)
		}
	}
	took := p.took
	p.took = make([][]time.Duration, len(p.ways))
	return took, p.failure
}

// settle notes how long a datagram took; the caller holds p.mu.
func (p *Probe) settle(s *sending, took time.Duration) {
	p.took[s.way] = append(p.took[s.way], min(took, Late))
	*s = sending{}
}

// pause is the time between two datagrams: never the same, lest it keeps step with
// something else.
func (p *Probe) pause() time.Duration { return p.every/2 + rand.N(p.every) }

// receiveUntil takes what arrives until then.
func (p *Probe) receiveUntil(due time.Time) error {
	for {
		if err := p.receive(); err != nil {
			return err
		}
		left := time.Until(due)
		if left <= 0 {
			return nil
		}
		p.sink.wait(left)
	}
}

func (p *Probe) send() error {
	n := int(p.number % uint64(len(p.ways)))
	w := &p.ways[n]
	flow, message := w.flows[w.next], w.out.message(0)
	copy(message, flow.Prefix)
	setNumber(message[len(flow.Prefix):], uint64(p.series)|p.number)
	w.out.put(0, w.routes[w.next])
	w.next = (w.next + 1) % len(w.flows)
	p.begin(n)
	p.number++
	return w.out.send(p.source, 1)
}

// begin notes that a datagram of a way is sent now.
func (p *Probe) begin(way int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.under[p.number%places]
	if !s.at.IsZero() { // it has not come
		p.settle(s, Late)
	}
	*s = sending{number: p.number, way: way, at: time.Now()}
}

func (p *Probe) receive() error {
	n, err := p.in.receive(p.sink)
	for i := range n {
		a := p.in.arrival(i)
		for one := a.next(); len(one) > 0; one = a.next() {
			if err := p.take(one, a.at); err != nil {
				return err
			}
		}
	}
	return err
}

// take checks what came at a time, in nanoseconds, and settles it, if it is of this
// Probe and not what a relay says to its peers.
func (p *Probe) take(b []byte, at int64) error {
	if len(b) < PayloadSize {
		return nil
	}
	number, ok := numberOf(b[len(b)-PayloadSize:], p.body)
	number, mine := p.series.of(number)
	switch {
	case ok && !mine:
		return nil
	case !ok, number >= p.number:
		return ErrContent
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := &p.under[number%places]; s.number == number && !s.at.IsZero() {
		p.settle(s, time.Duration(at-s.at.UnixNano()))
	}
	return nil
}
