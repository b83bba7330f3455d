package tunnel

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lethe-relay/lethe/internal/wire"
)

const testLeg = wire.LegID(7)

// binderBench is a binder with the relay's side of it, at a time that only the test moves.
type binderBench struct {
	tb failer
	*binder
	secret wire.LegSecret
	now    time.Time
	last   wire.LegMessage // the latest BIND
}

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

func newBinderBench(tb failer) *binderBench {
	secret := wire.LegSecret{1, 2, 3}
	return &binderBench{tb: tb, binder: newBinder(testLeg, secret), secret: secret, now: time.Unix(1e9, 0)}
}

// bind sends the next BIND and checks it. It returns the pause until the one after it.
func (b *binderBench) bind() time.Duration {
	b.tb.Helper()
	b.last = b.read(b.next(nil, b.now), wire.TypeBind)
	return b.due.Sub(b.now)
}

// read checks a message that the binder made.
func (b *binderBench) read(raw []byte, want wire.Type) wire.LegMessage {
	b.tb.Helper()
	m, err := wire.ParseLegMessage(raw)
	if err != nil || m.Type != want || m.Leg != testLeg || !wire.VerifyLegMessage(raw, &b.secret) {
		b.tb.Fatalf("%+v, %v; want a %v under the leg's secret", m, err, want)
	}
	if m.Counter <= b.last.Counter {
		b.tb.Errorf("counter %d after %d", m.Counter, b.last.Counter)
	}
	return m
}

// answer gives the binder the relay's answer to the latest BIND.
func (b *binderBench) answer(t wire.Type, cookie wire.Cookie) bool {
	m := wire.LegMessage{Type: t, Leg: testLeg, Counter: b.last.Counter, Cookie: cookie}
	return b.receive(m.Append(nil, &b.secret), b.now)
}

// TestBinder goes through the picture in binder's comment.
func TestBinder(t *testing.T) {
	b := newBinderBench(t)
	if !b.due.Before(b.now) {
		t.Fatal("the first BIND is not due at once")
	}
	b.bind()
	if b.last.Cookie != (wire.Cookie{}) {
		t.Error("a cookie in the first BIND")
	}
	cookie := wire.Cookie{9}
	if !b.answer(wire.TypeCookie, cookie) || !b.due.Equal(b.now) || b.bound {
		t.Error("a COOKIE makes the next BIND due at once, and nothing bound")
	}
	if b.bind(); b.last.Cookie != cookie {
		t.Error("the cookie is not echoed")
	}
	if b.answer(wire.TypeCookie, cookie) {
		t.Error("the same COOKIE again made a BIND due at once: two ends could go on for ever")
	}
	if b.answer(wire.TypeBound, wire.Cookie{}) || !b.bound || b.due.Sub(b.now) != bindKeepAlive {
		t.Errorf("after BOUND: bound %t, next in %v", b.bound, b.due.Sub(b.now))
	}
	b.now = b.due
	if b.bind(); b.last.Cookie != cookie {
		t.Error("the keep-alive does not show the cookie")
	}
	b.read(b.unbind(nil), wire.TypeUnbind)
}

// TestBinderPauses: unanswered BINDs come ever slower, on new sockets too.
func TestBinderPauses(t *testing.T) {
	b := newBinderBench(t)
	want := []time.Duration{1, 2, 4, 8, 16, 16, 16, 16}
	for i := range want {
		if b.lost() != (i > 0 && i%bindTries == 0) {
			t.Errorf("after %d BINDs: lost %t", i, b.lost())
		}
		if b.lost() {
			b.moved(b.now)
		}
		if pause := b.bind(); pause != want[i]*bindFirst {
			t.Errorf("pause %d is %v, want %v", i, pause, want[i]*bindFirst)
		}
		b.now = b.due
	}
	b.answer(wire.TypeCookie, wire.Cookie{1}) // shows that the path is slow, if it took so long
	if pause := b.bind(); pause != bindSlowest {
		t.Errorf("after COOKIE the pause is %v, want %v", pause, bindSlowest)
	}
	b.answer(wire.TypeBound, wire.Cookie{})
	if pause := b.bind(); pause != bindFirst {
		t.Errorf("after BOUND the pause is %v, want %v", pause, bindFirst)
	}
}

// TestBinderMoved: a new socket is bound without the old one's cookie.
func TestBinderMoved(t *testing.T) {
	b := newBinderBench(t)
	b.bind()
	b.answer(wire.TypeCookie, wire.Cookie{9})
	b.bind()
	b.answer(wire.TypeBound, wire.Cookie{})
	b.moved(b.now)
	if !b.due.Equal(b.now) {
		t.Error("the BIND of the new socket is not due at once")
	}
	if b.bind(); b.last.Cookie != (wire.Cookie{}) {
		t.Error("the cookie of the old address on the new socket")
	}
}

// TestBinderIgnores: nothing but the relay's answer to a BIND from this socket has an effect.
func TestBinderIgnores(t *testing.T) {
	other := wire.LegSecret{4}
	for name, change := range map[string]func(*wire.LegMessage, *wire.LegSecret){
		"old socket": func(m *wire.LegMessage, _ *wire.LegSecret) { m.Counter-- },
		"early":      func(m *wire.LegMessage, _ *wire.LegSecret) { m.Counter++ },
		"other leg":  func(m *wire.LegMessage, _ *wire.LegSecret) { m.Leg++ },
		"forged":     func(_ *wire.LegMessage, s *wire.LegSecret) { *s = other },
		"our BIND":   func(m *wire.LegMessage, _ *wire.LegSecret) { m.Type = wire.TypeBind },
		"our UNBIND": func(m *wire.LegMessage, _ *wire.LegSecret) { m.Type = wire.TypeUnbind },
		"no type":    func(m *wire.LegMessage, _ *wire.LegSecret) { m.Type = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBinderBench(t)
			b.bind()
			b.moved(b.now)
			b.bind()
			before := *b.binder
			m, secret := wire.LegMessage{Type: wire.TypeBound, Leg: testLeg, Counter: b.last.Counter}, b.secret
			change(&m, &secret)
			if b.receive(m.Append(nil, &secret), b.now) || *b.binder != before {
				t.Error("it had an effect")
			}
		})
	}
}

// TestBinderLooks: an active tunnel that receives nothing makes a BIND due, a quiet one does not.
func TestBinderLooks(t *testing.T) {
	type traffic struct{ sent, received bool }
	for name, test := range map[string]struct {
		looks []traffic
		due   bool // at the last look
		again bool // there is another look to come
	}{
		"both ways":                {[]traffic{{true, true}}, false, true},
		"only sends":               {[]traffic{{true, true}, {true, false}}, true, true},
		"received, then nothing":   {[]traffic{{false, true}, {false, false}}, true, false},
		"still receives":           {[]traffic{{false, true}, {false, true}}, false, true},
		"sends without any answer": {[]traffic{{true, false}}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBinderBench(t)
			b.bind()
			b.answer(wire.TypeBound, wire.Cookie{})
			b.watch(b.now)
			for _, look := range test.looks {
				if b.lookAt.Sub(b.now) != bindSilence {
					t.Fatalf("the next look is in %v", b.lookAt.Sub(b.now))
				}
				b.now = b.lookAt
				b.look(look.sent, look.received, b.now)
			}
			if due := !b.now.Before(b.due); due != test.due || !b.lookAt.IsZero() != test.again {
				t.Errorf("due %t, looks again %t", due, !b.lookAt.IsZero())
			}
		})
	}
}

// TestBinderSilence: while a BIND is on its way, silence does not make more of them.
func TestBinderSilence(t *testing.T) {
	b := newBinderBench(t)
	b.look(true, false, b.now)
	if !b.due.IsZero() {
		t.Error("a leg that is not bound was asked for by its silence")
	}
	b.bind()
	b.answer(wire.TypeBound, wire.Cookie{})
	b.now = b.due
	b.bind()
	due := b.due
	if b.look(true, false, b.now); b.due != due {
		t.Error("silence changed when the next BIND is due")
	}
	for range 2 * bindTries {
		b.bind()
	}
	if !b.lost() {
		t.Error("not lost")
	}
	if b.look(true, true, b.now); b.lost() {
		t.Error("lost, although the tunnel receives")
	}
}

// TestBinderAnyOrder: whatever comes in whatever order, counters rise, what is no answer to a
// BIND from this socket changes nothing, pauses stay within their bounds, and silence for bindTries BINDs asks for a new socket.
func TestBinderAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBinderBench(t)
		unanswered := 0
		sent := []wire.LegMessage{}
		t.Repeat(map[string]func(*rapid.T){
			"bind": func(t *rapid.T) {
				if pause := b.bind(); pause < bindFirst || pause > bindSlowest {
					t.Fatalf("a pause of %v", pause)
				}
				sent = append(sent, b.last)
				if unanswered++; b.lost() != (unanswered >= bindTries && !b.heard) {
					t.Fatalf("lost %t after %d BINDs without an answer", b.lost(), unanswered)
				}
			},
			"move": func(*rapid.T) {
				b.moved(b.now)
				unanswered = 0
			},
			"wait": func(t *rapid.T) {
				b.now = b.now.Add(time.Duration(rapid.Int64Range(0, 20e9).Draw(t, "ns")))
			},
			"look": func(t *rapid.T) {
				bound := b.bound
				if b.look(rapid.Bool().Draw(t, "sent"), rapid.Bool().Draw(t, "received"), b.now); b.bound != bound {
					t.Fatal("looking bound the leg")
				}
			},
			"answer": func(t *rapid.T) {
				if len(sent) == 0 {
					t.Skip("nothing to answer")
				}
				m := rapid.SampledFrom(sent).Draw(t, "to")
				m.Type = rapid.SampledFrom([]wire.Type{wire.TypeCookie, wire.TypeBound, wire.TypeBind, wire.TypeUnbind}).Draw(t, "type")
				m.Cookie = wire.Cookie{}
				if m.Type == wire.TypeCookie {
					m.Cookie[0] = byte(rapid.IntRange(1, 3).Draw(t, "cookie"))
				}
				raw := m.Append(nil, &b.secret)
				forged := rapid.Bool().Draw(t, "forged")
				if forged {
					raw[rapid.IntRange(0, len(raw)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
				}
				before := *b.binder
				b.receive(raw, b.now)
				ours := m.Type == wire.TypeBind || m.Type == wire.TypeUnbind
				same := m.Type == wire.TypeCookie && m.Cookie == before.cookie
				if forged || ours || same || m.Counter <= before.base {
					if *b.binder != before {
						t.Fatalf("it was no answer to a BIND from this socket, and changed %+v to %+v", before, *b.binder)
					}
					return
				}
				unanswered = 0
				if b.lost() || m.Type == wire.TypeBound && !b.bound || m.Type == wire.TypeCookie && !b.due.Equal(b.now) {
					t.Fatalf("%v left %+v", m.Type, *b.binder)
				}
			},
		})
	})
}

// TestBinderOnSlowPaths: a leg gets bound however long the round trip is, and
// does not open sockets all the time meanwhile.
func TestBinderOnSlowPaths(t *testing.T) {
	for _, rtt := range []time.Duration{100 * time.Millisecond, 1100 * time.Millisecond, 1900 * time.Millisecond, 6 * time.Second} {
		t.Run(rtt.String(), func(t *testing.T) {
			b := newBinderBench(t)
			start, sockets := b.now, 1
			var answers []slowAnswer
			for !b.bound {
				if b.now.Sub(start) > 40*time.Second || sockets > 4 {
					t.Fatalf("not bound after %v on %d sockets", b.now.Sub(start), sockets)
				}
				if len(answers) > 0 && !answers[0].at.After(b.due) {
					b.now = answers[0].at
					if answers[0].socket == sockets {
						b.receive(answers[0].raw, b.now)
					}
					answers = answers[1:]
					continue
				}
				b.now = b.due
				if b.lost() {
					b.moved(b.now)
					sockets++
				}
				b.bind()
				answer := b.last
				answer.Type, answer.Cookie = wire.TypeBound, wire.Cookie{}
				if cookie := (wire.Cookie{byte(sockets)}); b.last.Cookie != cookie {
					answer.Type, answer.Cookie = wire.TypeCookie, cookie
				}
				answers = append(answers, slowAnswer{b.now.Add(rtt), sockets, answer.Append(nil, &b.secret)})
			}
		})
	}
}

type slowAnswer struct {
	at     time.Time
	socket int
	raw    []byte
}

// TestBinderStalled: a relay that does not answer is a stall, and so is a peer
// that does not; the last word of a conversation is not.
func TestBinderStalled(t *testing.T) {
	b := newBinderBench(t)
	for range bindTries {
		if b.stalled() {
			t.Fatal("stalled too early")
		}
		b.bind()
	}
	if !b.stalled() {
		t.Error("the relay has not answered, and it is not stalled")
	}
	if b.answer(wire.TypeBound, wire.Cookie{}); b.stalled() {
		t.Error("stalled after an answer")
	}
	look := func(after time.Duration, sent, received, want bool) {
		t.Helper()
		b.now = b.now.Add(after)
		if b.look(sent, received, b.now); b.stalled() != want {
			t.Errorf("sent %t, received %t: stalled %t", sent, received, !want)
		}
	}
	look(0, true, false, false)
	look(time.Minute, false, false, false) // quiet after it
	look(0, true, true, false)
	look(0, true, false, false)
	look(deafTime-1, true, false, false)
	look(1, true, false, true)
	look(time.Second, false, false, true)
	look(time.Second, false, true, false)
}
