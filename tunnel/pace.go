package tunnel

import "time"

// What keeps the news of a tunnel from being more than a router can take.

// mailbox holds the newest of what was put into it. Nobody waits to put.
type mailbox[T any] chan T

func newMailbox[T any]() mailbox[T] { return make(mailbox[T], 1) }

func (m mailbox[T]) put(v T) {
	for {
		select {
		case m <- v:
			return
		default:
		}
		select {
		case <-m:
		default:
		}
	}
}

// pace bounds how often a tunnel is judged, whatever device and relay do: each
// time costs a look at what was learned, and an entry in the journal.
type pace struct{ booked time.Time }

// next books a turn and returns the time to wait for it.
func (p *pace) next(now time.Time) time.Duration {
	if p.booked.Before(now) {
		p.booked = now
	}
	wait := max(0, p.booked.Sub(now)-judgeBurst*judgeEvery)
	p.booked = p.booked.Add(judgeEvery)
	return wait
}
