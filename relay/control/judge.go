package control

import (
	"context"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// judge takes the evidence of an open and refuses the device if the grant's
// policy denies it. What is not denied may still be good for a step-up only; the
// router, whose word is final, judges again in the tunnel. Pairing has no grant
// and no evidence.
func (s *Server) judge(ctx context.Context, device *peer, m *wire.Open, grant auth.Grant) (*evidence, *wire.Error) {
	if m.Purpose == wire.PurposePairing {
		return nil, nil
	}
	e, err := s.gather(ctx, device, m, grant)
	if err != nil {
		return nil, &wire.Error{Code: wire.CodeInternal}
	}
	j := e.judge()
	s.Verdicts.count(atOpen, j.Verdict)
	if j.Verdict == ecv.Deny {
		e.wipe()
		return nil, &wire.Error{Code: wire.CodeEnvDenied, Reasons: ecv.FormatReasons(j.Reasons)}
	}
	e.verdict = j.Verdict
	return e, nil
}

// judgeAgain judges the device where it is now, by what it showed at the open.
// The verdict never gets better: for that a device opens a new session, with a
// fresh grant. It tells whether it got worse.
func (s *Server) judgeAgain(e *evidence, here origin) (worse bool) {
	e.see(here)
	verdict := e.judge().Verdict
	s.Verdicts.count(atMove, verdict)
	worse = verdict < e.verdict
	e.verdict = min(e.verdict, verdict)
	return worse
}
