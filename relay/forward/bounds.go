package forward

import (
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// bounds is what a loop's legs may carry for now: by the rate of each, and by
// their share when the loop can't keep up. It is owned by the loop.
type bounds struct {
	rate    rate  // the same for every leg
	line    int64 // that it has let pass by the batch under way
	share   share
	bounded bool // bound has to be asked
	reach   int  // messages that the next read takes at most
}

func newBounds(bitsPerSecond uint64) bounds {
	r := newRate(bitsPerSecond)
	return bounds{reach: batchMessages, rate: r, line: r.line(0), share: share{patience: standsFor}, bounded: r != rate{}}
}

// begin is called with each batch that was read, of n messages. The clock is asked
// only where there is a rate, or where the read has not found the end of the queue.
func (l *loop) begin(n int) {
	atEnd := n < l.reach || l.reader.Waited()
	bytes := 0
	for i := range l.batch[:n] {
		bytes += l.batch[i].N
	}
	l.reach = reach(n, bytes)
	if l.bounded || !atEnd {
		l.bounds.begin(time.Since(l.plane.made), cost(n, bytes), atEnd)
	}
}

// What comes while a batch is worked on waits for its end. So a read takes no more
// messages than make some readBytes, if they are as large as those of the
// last one, which keeps the wait below 50 µs and the batch in the cache; but readLeast,
// since a small datagram says little about what comes next.
const (
	readBytes = 256 << 10
	readLeast = 4
)

// reach is how many messages to read after n with so many bytes.
func reach(n, bytes int) int {
	return min(max(n*readBytes/max(bytes, 1), readLeast), batchMessages)
}

// begin is what a batch of that cost begins with.
func (b *bounds) begin(now time.Duration, batch int64, atEnd bool) {
	if b.rate != (rate{}) {
		b.line = b.rate.line(now)
	}
	if !atEnd || b.share.watching() {
		b.share.begin(now, batch, atEnd)
	}
	b.bounded = b.rate != (rate{}) || b.share.watching()
}

// bound cuts off what leg may not carry, counts it, and returns how many
// datagrams are left. What is over a rate is cut off a run, so that a slow rate
// loses no whole runs; a share is of messages, since a cut one costs as much to send.
func (l *loop) bound(m *udpio.Message, leg *Leg) (datagrams int) {
	n := m.Datagrams()
	if l.rate != (rate{}) {
		if n = l.cut(m, leg); n == 0 {
			return 0
		}
	}
	if l.share.watching() && !l.share.admit(leg, m.N) {
		l.drops.add(DropOverShare, n)
		return 0
	}
	return n
}

// cut leaves of m what leg's rate lets pass and returns how many datagrams that is.
func (l *loop) cut(m *udpio.Message, leg *Leg) (datagrams int) {
	n, piece := m.Datagrams(), m.SegSize
	if n == 1 {
		piece = m.N
	}
	taken := l.rate.take(&leg.rate, l.line, m.N, piece)
	if taken == m.N {
		return n
	}
	m.N = taken
	if taken > 0 {
		datagrams = m.Datagrams()
	}
	l.drops.add(DropOverRate, n-datagrams)
	return datagrams
}
