package tunnel

import (
	"context"
	"errors"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Both ends of a confirmation. Each has a stream of its own, so its answer can
// be taken for no other's, and a device that gives up ends it.

// Confirm shows the router's PIN, or asks for the approval of an owner if pin
// is empty, so that the router learns this environment. It returns when the
// router has decided; an approval takes as long as the owner does, and the end
// of ctx takes the question back. Afterwards a new tunnel, with the grant that
// Renewed got, is let in; this one is not. Who asks again gives up what was
// asked before.
//
// Errors: a [*RefusedError] with pin_wrong, pin_locked, pin_not_set or
// not_approved; with step_up_required or env_denied if even that is not enough.
func (t *Tunnel) Confirm(ctx context.Context, pin string) error {
	qs, err := t.session.conn.OpenStreamSync(ctx)
	if err != nil {
		return t.showing.explained(streamError("router", err))
	}
	giveUp := func() { qs.CancelRead(0); qs.CancelWrite(0) }
	defer giveUp()
	stop := context.AfterFunc(ctx, giveUp)
	defer stop()
	m, err := askConfirm(qs, pin)
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return t.showing.explained(err)
	}
	return t.showing.take(m).refusal()
}

func askConfirm(qs *quic.Stream, pin string) (*wire.Verdict, error) {
	if err := wire.WriteMessage(qs, &wire.Confirm{PIN: pin}); err != nil {
		return nil, streamError("router", err)
	}
	m, err := wire.Expect[*wire.Verdict](qs)
	var refused *wire.Error
	if errors.As(err, &refused) {
		return nil, refusedBy("router", err)
	}
	return m, streamError("router", err)
}

// refusal is the error of who hopes to be allowed.
func (v Verdict) refusal() error {
	if v.Verdict == ecv.Allow && len(v.Withheld) == 0 {
		return nil
	}
	return &RefusedError{By: "router", Code: string(codeOfVerdict(v.Verdict)), Reasons: v.Reasons}
}

// confirm takes one attempt. The tunnel stays what it is: the relay limits it.
// The fresh grant opens another.
func (h *hearing) confirm(qs *quic.Stream, pin string) {
	ruling, err := h.decide(qs.Context(), pin)
	var answer wire.Message = ruling.message()
	if err != nil {
		answer = confirmError(err)
	}
	if err := wire.WriteMessage(qs, answer); err != nil {
		qs.CancelWrite(0)
	}
	qs.CancelRead(0)
	qs.Close()
}

// decide asks for one decision at a time. It gives up those before, which their
// device does not wait for any more.
func (h *hearing) decide(ctx context.Context, pin string) (Ruling, error) {
	if h.judging.Confirm == nil {
		return Ruling{}, &RefusedError{Code: string(wire.CodeUnsupported)}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h.replace(cancel)
	h.deciding.Lock()
	defer h.deciding.Unlock()
	if ctx.Err() != nil {
		return Ruling{}, &RefusedError{Code: string(wire.CodeNotApproved)}
	}
	return h.judging.Confirm(ctx, h.standing(), pin)
}

func (h *hearing) replace(giveUp context.CancelFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.giveUp != nil {
		h.giveUp()
	}
	h.giveUp = giveUp
}

func (h *hearing) standing() Case {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.on
}

func confirmError(err error) *wire.Error {
	var refused *RefusedError
	if !errors.As(err, &refused) {
		return &wire.Error{Code: wire.CodeInternal}
	}
	return &wire.Error{
		Code: wire.Code(refused.Code), RetryAfter: max(0, refused.RetryAfter), Reasons: ecv.FormatReasons(refused.Reasons),
	}
}
