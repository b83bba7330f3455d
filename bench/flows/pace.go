package flows

import "time"

// maxBehind is how late a paced datagram may be sent. One that could not be sent
// by then is not sent at all, lest the load comes in waves of the source's making.
const maxBehind = 500 * time.Microsecond

// pace says when datagrams are due.
type pace struct {
	perSecond float64
	began     time.Time // moves on by what is left out
}

// due is how many datagrams should have been sent by now, and have not been.
func (p *pace) due(now time.Time, sent uint64) int {
	due := now.Sub(p.began).Seconds()*p.perSecond - float64(sent)
	if most := maxBehind.Seconds() * p.perSecond; due > most+1 {
		p.began = p.began.Add(time.Duration((due - most) / p.perSecond * float64(time.Second)))
		due = most
	}
	return max(int(due), 0)
}
