package tunnel

import (
	"net"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// How a leg keeps itself bound: one goroutine, keep, does what the binder says
// is due, and replaces the socket when the relay no longer answers on it.

func (l *leg) isStalled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.binder.stalled()
}

// keep sends each BIND when it is due, and replaces the socket when the relay
// has not answered for too long: the address may have become useless.
func (l *leg) keep() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-l.wake:
		case <-timer.C:
		}
		timer.Reset(l.keepOnce(time.Now()))
	}
}

// keepOnce sends a BIND if one is due and returns the time until there is
// something to do again.
func (l *leg) keepOnce(now time.Time) time.Duration {
	l.mu.Lock()
	l.look(now)
	due, lost := !now.Before(l.binder.due), l.binder.lost()
	l.mu.Unlock()
	if due && lost {
		l.replace() // when it fails, the BIND goes out on the old socket
	}
	var bind []byte
	l.mu.Lock()
	if due {
		bind = l.binder.next(make([]byte, 0, wire.LegMessageSize), now)
	}
	next := l.binder.due
	if at := l.binder.lookAt; !at.IsZero() && at.Before(next) {
		next = at
	}
	l.mu.Unlock()
	if due {
		l.send(udpio.Message{Buf: bind, N: len(bind)})
	}
	return next.Sub(now)
}

// look tells the binder about the tunnel's traffic when it is time; the caller
// holds mu.
func (l *leg) look(now time.Time) {
	switch at := l.binder.lookAt; {
	case at.IsZero():
		if l.sent.Load() > 0 {
			l.binder.watch(now)
		}
	case !now.Before(at):
		l.binder.look(l.sent.Swap(0) > 0, l.received.Swap(0) > 0, now)
	}
}

// rebind replaces the socket and binds the leg to the new one at once.
func (l *leg) rebind() error {
	if err := l.replace(); err != nil {
		return err
	}
	l.mu.Lock()
	l.binder.interval = 0 // whoever calls knows of a network: no reason to be slow
	l.mu.Unlock()
	l.wakeKeeper()
	return nil
}

// replace replaces the socket. The leg is bound to the new one by the next BIND.
func (l *leg) replace() error {
	if l.isClosed() {
		return net.ErrClosed
	}
	fresh, err := l.open()
	if err != nil {
		return err
	}
	l.mu.Lock()
	fresh.conn.SetReadDeadline(l.deadline)
	old := l.socket.Swap(fresh)
	l.binder.moved(time.Now())
	l.mu.Unlock()
	select {
	case <-l.done:
		fresh.conn.Close()
	default:
	}
	old.conn.Close()
	signal(l.moved)
	return nil
}

func (l *leg) wakeKeeper() { signal(l.wake) }

// signal puts a token into a channel that has room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
