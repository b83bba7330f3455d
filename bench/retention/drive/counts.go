package drive

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// Carried is what the ends of sessions have sent and received.
type Carried struct {
	Planted  uint64 // canary blocks sent on sessions without tunnels
	Written  uint64 // canary blocks written into tunnels
	Checked  uint64 // bytes that came in, were looked at one by one, and were right
	Lost     uint64 // datagrams of bare sessions that were sent and did not come
	InTunnel uint64 // of Checked: plaintext of tunnels
}

// Add adds what others have sent and received.
func (c *Carried) Add(d Carried) {
	c.Planted += d.Planted
	c.Written += d.Written
	c.Checked += d.Checked
	c.Lost += d.Lost
	c.InTunnel += d.InTunnel
}

// counts is a Carried that many goroutines write.
type counts struct {
	planted, written, checked, lost, inTunnel atomic.Uint64

	mu    sync.Mutex
	wrong error // guarded by mu: the first content that was not what was sent
}

// fail notes an error if it is about content. That flows end is expected: they
// are made to.
func (c *counts) fail(err error) {
	if !errors.Is(err, errContent) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrong == nil {
		c.wrong = err
	}
}

// Told is the answer to Progress of all parts.
type Told struct {
	Carried
	Wrong string // content that was not what was sent; empty if there was none
}

func (c *counts) told() Told {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := Told{Carried: Carried{
		Planted: c.planted.Load(), Written: c.written.Load(), Checked: c.checked.Load(), Lost: c.lost.Load(), InTunnel: c.inTunnel.Load(),
	}}
	if c.wrong != nil {
		t.Wrong = c.wrong.Error()
	}
	return t
}

// isClosed tells the end of a socket from a read that failed for a moment.
func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
