package flows

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	loadBatch = 64                    // messages in one system call, at most
	runBatch  = 4                     // the same, if they are runs
	patience  = 20 * time.Millisecond // without any arrival: what is under way counts as settled
	breath    = 20 * time.Microsecond // when there is nothing to do
)

// ErrContent says that something arrived that was not sent so, or not to there.
var ErrContent = errors.New("the content is not what was sent")

// LoadConfig says what a Load sends.
type LoadConfig struct {
	Flows []Flow

	// Window is how many datagrams may be under way at once, 64 at least; 0: any
	// number. It keeps the source from sending what no buffer of the relay holds.
	Window int

	// PerSecond is how many datagrams a second are sent over all flows together;
	// 0: as many as the window allows.
	PerSecond float64

	// Run is how many datagrams of a flow are sent in a row, in one GSO send, before
	// it is the next one's turn: at most 53; 0 and 1: one.
	Run int
}

// Load sends over flows from one Port to another, checks what arrives, and counts
// it. One thread does both; it never sleeps on a socket.
type Load struct {
	// static
	cfg          LoadConfig
	order        order
	source, sink *Port
	routes       []*route // by flow
	size         int      // of a datagram with its prefix
	body         []byte
	series       series
	running      sync.WaitGroup
	stop         atomic.Bool

	// of the thread
	out     *outbox
	in      *inbox
	pace    pace
	number  uint64    // of the next datagram
	settled uint64    // numbers below it are not under way any more
	next    []uint64  // by flow: the rank that comes next
	heard   time.Time // when something arrived
	count   Count

	// written by the thread
	sent, received, lost, other atomic.Uint64
	byFlow                      []atomic.Uint64 // received
	failure                     atomic.Pointer[error]
}

// Count is where the counters of a Load stand, in datagrams.
type Count struct {
	Sent     uint64
	Received uint64 // that were right
	Lost     uint64 // of which a later one of the same flow has come
	Other    uint64 // that are not of this Load: of one before, or what a relay says to its peers
	Least    uint64 // received by the flow that got least
	Most     uint64 // received by the flow that got most
}

// NewLoad makes a Load that does not send yet. Flow i goes from endpoint i of
// source to endpoint i of sink; both are the Load's until it is closed.
func NewLoad(source, sink *Port, cfg LoadConfig) (*Load, error) {
	if err := validate(cfg.Flows); err != nil {
		return nil, err
	}
	n, size, batch := len(cfg.Flows), len(cfg.Flows[0].Prefix)+PayloadSize, loadBatch
	if cfg.Run = max(cfg.Run, 1); cfg.Run > 1 {
		batch = runBatch
		if err := source.segment(size); err != nil {
			return nil, err
		}
	}
	l := &Load{
		cfg: cfg, order: order{uint64(n), uint64(cfg.Run)}, source: source, sink: sink, size: size, body: newBody(), series: newSeries(),
		out: newOutbox(batch, size*cfg.Run), in: newInbox(loadBatch),
		next: make([]uint64, n), byFlow: make([]atomic.Uint64, n),
	}
	for i, f := range cfg.Flows {
		l.routes = append(l.routes, newRoute(i, f.To))
	}
	for i := range batch {
		message := l.out.message(i)
		for at := size - PayloadSize; at < len(message); at += size {
			copy(message[at:], Payload(0))
		}
	}
	return l, nil
}

// Start begins to send, until Close.
func (l *Load) Start() {
	l.heard = time.Now()
	l.pace = pace{perSecond: l.cfg.PerSecond, began: l.heard}
	l.running.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for !l.stop.Load() {
			if err := l.turn(time.Now()); err != nil {
				l.failure.Store(&err)
				return
			}
		}
	})
}

// Close ends the Load, and returns when it has ended. The Ports are the caller's
// again.
func (l *Load) Close() {
	l.stop.Store(true)
	l.running.Wait()
}

// Count returns the counters, or why the Load has ended.
func (l *Load) Count() (Count, error) {
	c := Count{Sent: l.sent.Load(), Received: l.received.Load(), Lost: l.lost.Load(), Other: l.other.Load()}
	for i := range l.byFlow {
		n := l.byFlow[i].Load()
		if c.Most = max(c.Most, n); i == 0 || n < c.Least {
			c.Least = n
		}
	}
	if failure := l.failure.Load(); failure != nil {
		return c, fmt.Errorf("%w, after %d datagrams", *failure, c.Received)
	}
	return c, nil
}

// turn sends what may be sent, takes what has come, or rests.
func (l *Load) turn(now time.Time) error {
	sent, err := l.send(now)
	if err != nil {
		return err
	}
	came, err := l.receive()
	switch {
	case err != nil:
		return err
	case came:
		l.heard = now
	case !sent:
		if l.number > l.settled && now.Sub(l.heard) > patience {
			l.settled = l.number
		}
		rest(breath)
	}
	l.publish()
	return nil
}

// send sends a batch, if window and rate have room for one.
func (l *Load) send(now time.Time) (bool, error) {
	n := l.room(now)
	if n == 0 {
		return false, nil
	}
	for i := range n {
		flow, message := l.order.flow(l.number), l.out.message(i)
		l.out.put(i, l.routes[flow])
		for at := 0; at < len(message); at += l.size {
			copy(message[at:], l.cfg.Flows[flow].Prefix)
			setNumber(message[at+l.size-PayloadSize:], uint64(l.series)|l.number)
			l.number++
		}
	}
	l.count.Sent = l.number
	return true, l.out.send(l.source, n)
}

// room is how many messages may be sent now. Without a rate it is all of a batch
// or nothing: small system calls cost more.
func (l *Load) room(now time.Time) int {
	batch := l.out.len()
	if l.cfg.Window > 0 && int(l.number-l.settled)+batch*l.cfg.Run > max(l.cfg.Window, batch*l.cfg.Run) {
		return 0
	}
	if l.cfg.PerSecond == 0 {
		return batch
	}
	return min(batch, l.pace.due(now, l.number)/l.cfg.Run)
}

// receive takes, checks and counts what has come.
func (l *Load) receive() (came bool, err error) {
	n, err := l.in.receive(l.sink)
	for i := range n {
		a := l.in.arrival(i)
		whole := i == 0 // of the others, size, first byte and number
		for one := a.next(); len(one) > 0; one = a.next() {
			if err := l.take(one, a.endpoint, whole); err != nil {
				return true, err
			}
			whole = false
		}
	}
	return n > 0, err
}

// take checks and counts a datagram. whole says to compare all of it.
func (l *Load) take(b []byte, endpoint int, whole bool) error {
	if endpoint < 0 || endpoint >= len(l.next) || len(b) != l.cfg.Flows[endpoint].Skip+PayloadSize {
		l.count.Other++
		return nil
	}
	number, ok := l.check(b[len(b)-PayloadSize:], whole)
	number, mine := l.series.of(number)
	switch {
	case ok && !mine:
		l.count.Other++
		return nil
	case !ok, number >= l.number, l.order.flow(number) != uint64(endpoint):
		return ErrContent
	}
	if rank := l.order.rank(number); rank >= l.next[endpoint] {
		l.count.Lost += rank - l.next[endpoint]
		l.next[endpoint] = rank + 1
	} else if l.count.Lost > 0 { // it has been overtaken
		l.count.Lost--
	}
	l.settled = max(l.settled, number+1)
	l.count.Received++
	l.byFlow[endpoint].Store(l.byFlow[endpoint].Load() + 1)
	return nil
}

func (l *Load) check(payload []byte, whole bool) (number uint64, ok bool) {
	if whole {
		return numberOf(payload, l.body)
	}
	return numberOf(payload, nil)
}

// publish lets Count see the counters.
func (l *Load) publish() {
	l.sent.Store(l.count.Sent)
	l.received.Store(l.count.Received)
	l.lost.Store(l.count.Lost)
	l.other.Store(l.count.Other)
}
