package tunnel

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// hearing is the router's end of a tunnel's first stream, and what was decided
// on it.
//
//	shown  ──► Judge ──► verdict     first, and when the device has another network
//	moved  ──► Judge ──► verdict     the relay has seen that it has: evidence is due
//	due    ──► Judge ──► verdict     it did not come
//
// One goroutine, run, judges and answers. Whoever has news leaves them in a
// mailbox, and never waits for a device that does not read.
type hearing struct {
	// static
	session *session
	judging Judging
	qs      *quic.Stream
	waits   waits
	began   time.Time
	shown   mailbox[ecv.Evidence] // by the device
	moved   mailbox[Vouched]      // what the relay says of a new network

	// owned by run
	pace pace
	due  <-chan time.Time // when evidence that is due counts as not shown; nil if none is
	over <-chan time.Time // when a tunnel ends that is not allowed; nil if it is

	// guarded by mu; written by run only
	mu     sync.Mutex
	on     Case
	ruling Ruling

	// of confirmations
	deciding sync.Mutex         // held while Judging.Confirm runs
	giveUp   context.CancelFunc // ends the last; guarded by mu
}

// waits are the times that a hearing gives a device.
type waits struct {
	grace  time.Duration // for fresh evidence, once the relay has seen another network
	stepUp time.Duration // of a tunnel that may be confirmed, from its start
}

// hear takes the device's evidence and answers with a verdict, or ends the
// tunnel. No other stream of it is looked at before that.
func (l *Listener) hear(s *session, on Case, moved mailbox[Vouched]) (*hearing, error) {
	qs, first, err := l.firstStream(s)
	if err != nil {
		s.close(wire.CodeBadRequest)
		return nil, err
	}
	on.Evidence, on.EvidenceAt = first, time.Now()
	h := &hearing{
		session: s, judging: l.judging(), qs: qs, waits: l.waits, began: time.Now(),
		shown: newMailbox[ecv.Evidence](), moved: moved, on: on,
	}
	h.ruling = h.judging.Judge(on)
	h.limit()
	if err := h.tell(h.ruling, headerTimeout); err != nil {
		s.close(codeOfTelling(err))
		return nil, err
	}
	return h, nil
}

func (l *Listener) firstStream(s *session) (*quic.Stream, ecv.Evidence, error) {
	ctx, cancel := context.WithTimeout(l.ctx, headerTimeout)
	defer cancel()
	qs, err := s.conn.AcceptStream(ctx)
	if err != nil {
		return nil, ecv.Evidence{}, err
	}
	qs.SetReadDeadline(time.Now().Add(headerTimeout))
	m, err := wire.Expect[*wire.Evidence](qs)
	if err != nil {
		return nil, ecv.Evidence{}, err
	}
	qs.SetReadDeadline(time.Time{})
	return qs, evidenceOf(m), nil
}

// read takes what the device shows until its stream ends.
func (h *hearing) read() {
	for {
		m, err := wire.Expect[*wire.Evidence](h.qs)
		if errors.Is(err, io.EOF) {
			return // it shows nothing more; what it is told it can still read
		}
		if err != nil { // or the tunnel has ended
			h.session.close(wire.CodeBadRequest)
			return
		}
		h.shown.put(evidenceOf(m))
	}
}

// run judges what happens until the tunnel ends.
func (h *hearing) run() {
	for goesOn := true; goesOn; {
		select {
		case e := <-h.shown:
			h.due = nil
			goesOn = h.judge(func(c *Case) { c.Evidence, c.EvidenceAt = e, time.Now() })
		case v := <-h.moved:
			if h.due == nil { // who moves on and on does not get more time
				h.due = time.After(h.waits.grace)
			}
			goesOn = h.judge(func(c *Case) { c.Vouched = v }, ecv.EvidenceDue)
		case <-h.due:
			h.due = nil
			goesOn = h.judge(func(c *Case) { c.Evidence, c.EvidenceAt = ecv.Evidence{}, time.Now() })
		case <-h.over:
			h.timeIsOver()
			return
		case <-h.ended():
			return
		}
	}
}

func (h *hearing) ended() <-chan struct{} { return h.session.conn.Context().Done() }

// judge judges the changed case, tells the device, and returns whether the
// tunnel goes on. When anything has become worse it ends: its device may open
// another, which is judged, and limited at the relay, from its start.
func (h *hearing) judge(change func(*Case), more ...ecv.Reason) (goesOn bool) {
	if !h.wait(h.pace.next(time.Now())) {
		return false
	}
	on, before := h.on, h.ruling
	on.Again = true
	change(&on)
	ruling := h.judging.Judge(on)
	h.decided(on, ruling)
	told := ruling
	told.Reasons = slices.Concat(more, ruling.Reasons)
	if ruling.worseThan(before) {
		end := time.Now().Add(closingWord)
		h.tell(told, closingWord)
		h.wait(time.Until(end)) // closing throws away what has not gone out
		h.session.close(codeOfVerdict(ruling.Verdict))
		return false
	}
	if err := h.tell(told, headerTimeout); err != nil {
		h.session.close(codeOfTelling(err))
		return false
	}
	h.limit()
	return true
}

func (h *hearing) timeIsOver() { h.session.close(codeOfVerdict(h.ruling.Verdict)) }

// wait returns false when the tunnel has ended meanwhile, or its time is over.
func (h *hearing) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-h.over:
		h.timeIsOver()
		return false
	case <-h.ended():
		return false
	}
}

func (h *hearing) decided(on Case, ruling Ruling) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.on, h.ruling = on, ruling
}

// tell sends the device the ruling. A device that takes nothing for so long
// gets an error.
func (h *hearing) tell(r Ruling, patience time.Duration) error {
	h.qs.SetWriteDeadline(time.Now().Add(patience))
	return wire.WriteMessage(h.qs, r.message())
}

// codeOfTelling tells a ruling that can't be written from a device that does not
// read.
func codeOfTelling(err error) wire.Code {
	var field *wire.FieldError
	if errors.As(err, &field) {
		return wire.CodeInternal
	}
	return wire.CodeBadRequest
}

// limit sets the end of a tunnel that is not allowed, from its start: showing
// more evidence may improve the verdict, but gives no more time for the same.
func (h *hearing) limit() {
	switch h.ruling.Verdict {
	case ecv.Allow:
		h.over = nil
	case ecv.StepUp:
		h.over = time.After(time.Until(h.began.Add(h.waits.stepUp)))
	default:
		h.over = time.After(time.Until(h.began.Add(denyTime)))
	}
}

// refusal is why a stream to this service is refused, or nil.
func (h *hearing) refusal(service string) *wire.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.ruling.of(service)
	if v == ecv.Allow {
		return nil
	}
	return &wire.Error{Code: codeOfVerdict(v), Reasons: ecv.FormatReasons(h.ruling.Reasons)}
}
