package tunnel

import (
	"time"

	"github.com/lethe-relay/lethe/internal/wire"
)

// binder keeps one leg bound: it decides when to send which BIND and reads the
// relay's answers. It holds no socket and no clock. Not safe for concurrent use.
//
//	          next            COOKIE              BOUND
//	searching ───► BIND sent ─────► BIND+cookie ───────► bound ──(keep-alive)──┐
//	    ▲               │                                  ▲                   │
//	    └── lost: bindTries without an answer              └───── BOUND ◄──────┘
//
// Its one final state is after unbind.
type binder struct {
	leg     wire.LegID
	secret  wire.LegSecret
	counter uint64
	cookie  wire.Cookie

	bound    bool
	tries    int           // BINDs since the last answer
	interval time.Duration // to the next BIND
	due      time.Time
}

func newBinder(leg wire.LegID, secret wire.LegSecret) *binder {
	return &binder{leg: leg, secret: secret, interval: bindFirst}
}

// next appends the BIND that is to be sent now and sets when the one after it is due.
func (b *binder) next(buf []byte, now time.Time) []byte {
	b.counter++
	b.tries++
	if b.tries > 1 {
		b.interval = min(2*b.interval, bindSlowest)
	} else {
		b.interval = bindFirst
	}
	b.due = now.Add(b.interval)
	m := wire.LegMessage{Type: wire.TypeBind, Leg: b.leg, Counter: b.counter, Cookie: b.cookie}
	return m.Append(buf, &b.secret)
}

// lost tells that the relay has not answered for so long that the socket
// should be replaced.
func (b *binder) lost() bool { return b.tries >= bindTries }

// moved starts over on a new socket: the cookie is good for the old address only.
func (b *binder) moved(now time.Time) {
	b.cookie = wire.Cookie{}
	b.tries = 0
	b.due = now
}

// receive acts on a datagram that is not QUIC. It returns whether the next
// BIND has become due at once. Anything that is not the relay's answer to the
// latest BIND is ignored: it may be forged, or late.
func (b *binder) receive(datagram []byte, now time.Time) bool {
	m, err := wire.ParseLegMessage(datagram)
	if err != nil || m.Leg != b.leg || m.Counter != b.counter || !wire.VerifyLegMessage(datagram, &b.secret) {
		return false
	}
	switch m.Type {
	case wire.TypeCookie:
		if b.cookie == m.Cookie {
			return false // the relay did not take it; the next try comes when it is due
		}
		b.cookie = m.Cookie
		b.tries = 0
		b.due = now
		return true
	case wire.TypeBound:
		b.bound = true
		b.tries = 0
		b.due = now.Add(bindKeepAlive)
	}
	return false
}

// unbind appends the message that ends leg and session.
func (b *binder) unbind(buf []byte) []byte {
	b.counter++
	m := wire.LegMessage{Type: wire.TypeUnbind, Leg: b.leg, Counter: b.counter}
	return m.Append(buf, &b.secret)
}
