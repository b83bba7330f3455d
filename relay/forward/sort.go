package forward

import (
	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// sort takes a message apart datagram by datagram: tunnel datagrams of a leg
// go to the other leg, QUIC from elsewhere to the control plane, leg messages
// are acted on. leg is nil when the source is bound to none.
func (l *loop) sort(m *udpio.Message, leg *Leg) {
	step := m.SegSize
	if step <= 0 {
		step = m.N
	}
	if m.N == 0 {
		l.drops.add(DropNotLeg, 1)
	}
	for at := 0; at < m.N; at += step {
		datagram := m.Buf[at:min(at+step, m.N)]
		switch {
		case !wire.IsQUIC(datagram):
			l.legMessage(datagram, m.Path)
		case leg == nil:
			if why, ok := l.plane.control.deliver(datagram, m.Path); !ok {
				l.drops.add(why, 1)
			}
		default:
			l.carryOne(datagram, m.ECN, leg)
		}
	}
}

// carryOne forwards a single datagram out of a mixed message, at once.
func (l *loop) carryOne(datagram []byte, ecn uint8, leg *Leg) {
	l.single[0] = udpio.Message{Buf: datagram, N: len(datagram), ECN: ecn}
	if l.carry(&l.single[0], leg) {
		l.send(l.single) // a closed socket shows at the next read
	}
}

// legMessage acts on one leg message and sends the answer, if it has one. The
// answer has the size of the question and takes its place.
func (l *loop) legMessage(datagram []byte, from udpio.Path) {
	msg, err := wire.ParseLegMessage(datagram)
	if err != nil {
		l.drops.add(DropNotLeg, 1)
		return
	}
	answer, why, ok := l.plane.handle(msg, datagram, from)
	if !ok {
		l.drops.add(why, 1)
		return
	}
	l.legMessages.Add(1)
	if answer == nil {
		return
	}
	l.single[0] = udpio.Message{Buf: answer, N: len(answer), Path: from}
	if err := l.writer.WriteBatch(l.single); (err == nil || timedOut(err)) && l.single[0].Unsent > 0 {
		l.drops.add(dropOf(l.single[0].Status), 1)
	}
}
