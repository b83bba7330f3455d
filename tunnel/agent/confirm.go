package agent

import (
	"context"
	"errors"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
	"github.com/lethe-relay/lethe/tunnel/agent/pin"
)

// busyPause is when somebody who was not let try the PIN may try again.
const busyPause = 5 * time.Second

// confirm lets a device in that a step-up was asked of, and learns the
// environment that it has shown when it asked. It is what
// [tunnel.Judging.Confirm] says.
func (a *Agent) confirm(ctx context.Context, c tunnel.Case, entered string) (tunnel.Ruling, error) {
	asked, id := time.Now(), c.Device.ID()
	one, known := a.devices.get(id)
	if !known || !one.gave(c.Device.Grant.Serial) {
		return tunnel.Ruling{}, refused(wire.CodeGrantRevoked)
	}
	r := a.rule(c, one, asked)
	if r.Verdict == ecv.Deny {
		return tunnel.Ruling{}, refused(wire.CodeEnvDenied)
	}
	by, err := a.approve(ctx, id, entered, r.Reasons)
	event := journal.Confirmed
	if err != nil {
		event = journal.ConfirmFailed
	}
	a.noteAbout(journal.Entry{At: time.Now(), Device: id, Event: event, By: by})
	if err != nil {
		return tunnel.Ruling{}, err
	}
	return a.admit(c, asked)
}

// admit learns what a person has confirmed. It may be too little for
// the policy: then the ruling still is a step-up, and says why.
func (a *Agent) admit(c tunnel.Case, asked time.Time) (tunnel.Ruling, error) {
	grant, err := a.remember(c, true, asked)
	if err != nil {
		a.log.Error("a confirmed environment is not learned", "error", err)
		return tunnel.Ruling{}, refused(wire.CodeInternal)
	}
	one, known := a.devices.get(c.Device.ID())
	if !known || !one.gave(c.Device.Grant.Serial) {
		return tunnel.Ruling{}, refused(wire.CodeGrantRevoked)
	}
	r := a.rule(c, one, asked)
	r.Grant = grant
	return r, nil
}

// approve checks the PIN, or waits for an owner, and tells whose word it was.
func (a *Agent) approve(ctx context.Context, id auth.DeviceID, entered string, reasons []ecv.Reason) (by auth.DeviceID, err error) {
	if entered == "" {
		return a.approvals.wait(ctx, id, reasons)
	}
	return id, a.checkPIN(id, entered)
}

func (a *Agent) checkPIN(id auth.DeviceID, entered string) error {
	err := a.pins.Check(id, entered, time.Now())
	var locked *pin.LockedError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pin.ErrNotSet):
		return refused(wire.CodePINNotSet)
	case errors.As(err, &locked):
		return &tunnel.RefusedError{By: "router", Code: string(wire.CodePINLocked), RetryAfter: time.Until(locked.Until)}
	case errors.Is(err, pin.ErrWrong):
		return refused(wire.CodePINWrong)
	case errors.Is(err, pin.ErrBusy):
		return &tunnel.RefusedError{By: "router", Code: string(wire.CodeRateLimited), RetryAfter: busyPause}
	}
	a.log.Error("PIN not checked", "error", err)
	return refused(wire.CodeInternal)
}

func refused(code wire.Code) error { return &tunnel.RefusedError{By: "router", Code: string(code)} }
