package netsim

import (
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// delayQueue is how many messages are on their way at once; those that find no
// room are dropped.
const delayQueue = 1 << 15

// line is a long way in one direction of one mapping. What goes in comes out in
// the same order, as it was, when its time has come. One goroutine of the proxy
// is at its end. It ends with the mapping, when all has come out, or with the proxy.
type line struct {
	// static
	proxy *Proxy
	to    udpio.Path
	queue chan delayed
	ended <-chan struct{} // by the mapping

	writer *udpio.Writer // owned by run
}

// delayed is a message on its way.
type delayed struct {
	due     time.Time
	message udpio.Message // with a buffer of its own
}

// newLine starts a line of m.
func (m *mapping) newLine(w *udpio.Writer, to udpio.Path) *line {
	p := m.proxy
	l := &line{proxy: p, to: to, queue: make(chan delayed, delayQueue), ended: m.ended, writer: w}
	p.goroutines.Go(l.run)
	return l
}

// put takes copies of ms.
func (l *line) put(ms []udpio.Message) {
	due := time.Now().Add(l.proxy.delay)
	for i := range ms {
		m := ms[i]
		m.Buf = append([]byte(nil), m.Buf[:m.N]...)
		select {
		case l.queue <- delayed{due, m}:
		default:
			l.proxy.drops.unsent.Add(uint64(m.Datagrams()))
		}
	}
}

func (l *line) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var d delayed
		select {
		case <-l.proxy.closed:
			return
		case d = <-l.queue:
		case <-l.ended:
			if len(l.queue) == 0 {
				return
			}
			continue
		}
		timer.Reset(time.Until(d.due))
		select {
		case <-l.proxy.closed:
			return
		case <-timer.C:
		}
		l.proxy.send(l.writer, l.to, []udpio.Message{d.message})
	}
}
