package tunnel

import (
	"time"

	"github.com/lethe-relay/lethe/internal/wire"
)

// binder keeps one leg bound: it decides when to send which BIND and reads the
// relay's answers. It holds no socket and no clock. Not safe for concurrent use.
//
//	          next            COOKIE              BOUND
//	searching ───► BIND sent ─────► BIND+cookie ───────► bound ──(keep-alive, silence)──┐
//	    ▲               │                                  ▲                            │
//	    └── lost: bindTries without an answer              └──────────── BOUND ◄────────┘
//
// A keep-alive would find out too late that a NAT has given the leg another
// address, or that the machine has another network. So while the tunnel
// carries something, the binder looks every bindSilence whether anything has
// come in, and sends a BIND when nothing has.
//
// Its one final state is after unbind.
type binder struct {
	leg     wire.LegID
	secret  wire.LegSecret
	counter uint64
	cookie  wire.Cookie

	unanswered int // BINDs since the last answer, whatever the socket

	bound    bool
	tries    int           // BINDs since the last answer, or the last move
	base     uint64        // the counter at the last move: no answer to an earlier BIND counts
	interval time.Duration // between the latest BIND and the next, if it is not answered
	due      time.Time

	heard  bool         // the tunnel received something between the last two looks
	deaf   [2]time.Time // first and latest look that found it sending only, since it last received
	lookAt time.Time    // zero while the tunnel is quiet
}

func newBinder(leg wire.LegID, secret wire.LegSecret) *binder {
	return &binder{leg: leg, secret: secret}
}

// next appends the BIND that is to be sent now and sets when the one after it is due.
func (b *binder) next(buf []byte, now time.Time) []byte {
	b.counter++
	b.tries++
	b.unanswered++
	b.interval = min(max(2*b.interval, bindFirst), bindSlowest)
	b.due = now.Add(b.interval)
	m := wire.LegMessage{Type: wire.TypeBind, Leg: b.leg, Counter: b.counter, Cookie: b.cookie}
	return m.Append(buf, &b.secret)
}

// lost tells that the relay has not answered for so long that the socket
// should be replaced. It is not lost while the tunnel receives something: then
// only the answers are late, behind a long queue.
func (b *binder) lost() bool { return b.tries >= bindTries && !b.heard }

// moved starts over on a new socket: the cookie is good for the old address
// only. The pauses between BINDs stay as long as they have become, so that a
// machine without a network does not open sockets all the time.
func (b *binder) moved(now time.Time) {
	b.cookie = wire.Cookie{}
	b.tries = 0
	b.base = b.counter
	b.due = now
}

// receive acts on a datagram that is not QUIC. It returns whether the next
// BIND has become due at once. An answer may be to any BIND since the last move:
// where the round trip is long, several are under way. All else is ignored.
func (b *binder) receive(datagram []byte, now time.Time) bool {
	m, err := wire.ParseLegMessage(datagram)
	if err != nil || m.Leg != b.leg || m.Counter <= b.base || m.Counter > b.counter || !wire.VerifyLegMessage(datagram, &b.secret) {
		return false
	}
	switch m.Type {
	case wire.TypeCookie:
		if b.cookie == m.Cookie {
			return false // the relay did not take it; the next try comes when it is due
		}
		b.cookie = m.Cookie
		b.tries, b.unanswered = 0, 0
		b.due = now
		return true // the pauses stay as long as they have become: the path may be slow
	case wire.TypeBound:
		b.bound = true
		b.tries, b.unanswered, b.interval = 0, 0, 0
		b.due = now.Add(bindKeepAlive)
	}
	return false
}

// watch starts looking, if it has stopped: the tunnel has sent something.
func (b *binder) watch(now time.Time) {
	if b.lookAt.IsZero() {
		b.lookAt = now.Add(bindSilence)
	}
}

// look is told whether the tunnel has sent and received anything since the
// last look. When it was active and has received nothing since, either its
// peer has no more to say or the relay no longer knows the leg's address. A
// BIND becomes due to find out: one at the end of each burst, and one for each
// look while the tunnel sends and gets no answer.
func (b *binder) look(sent, received bool, now time.Time) {
	b.heard = received
	b.lookAt = time.Time{}
	switch {
	case received:
		b.deaf = [2]time.Time{}
	case sent && b.deaf[0].IsZero():
		b.deaf = [2]time.Time{now, now}
	case sent:
		b.deaf[1] = now
	}
	if sent || received {
		b.watch(now)
	}
	if !received && b.bound && b.tries == 0 {
		b.due = now
	}
}

// stalled tells that nothing comes through: the relay has left several BINDs
// unanswered, on this socket or since it was replaced, or the tunnel goes on
// sending and hears nothing.
func (b *binder) stalled() bool {
	return b.unanswered >= bindTries || b.deaf[1].Sub(b.deaf[0]) >= deafTime
}

// unbind appends the message that ends leg and session.
func (b *binder) unbind(buf []byte) []byte {
	b.counter++
	m := wire.LegMessage{Type: wire.TypeUnbind, Leg: b.leg, Counter: b.counter}
	return m.Append(buf, &b.secret)
}
