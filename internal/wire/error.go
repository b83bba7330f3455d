package wire

import "time"

const maxCode = 32 // bytes

// Error is what either side sends instead of the expected answer. It is also
// the Go error that [Expect] returns for it, and tells by errors.As that an
// error came from the peer. It unwraps to its Code, so that callers can write
// errors.Is(err, wire.CodeRouterOffline).
type Error struct {
	Code Code
	// RetryAfter says when a new attempt makes sense; zero if the sender does
	// not know. It travels in whole seconds, rounded up.
	RetryAfter time.Duration
	// Reasons are codes joined by commas, as package auth/ecv lists them, of
	// CodeEnvDenied and CodeStepUpRequired.
	Reasons string
}

// Type returns TypeError.
func (*Error) Type() Type { return TypeError }

// Error returns the code. Sentences for people are made where they are shown.
func (e *Error) Error() string { return e.Code.Error() }

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

func (e *Error) walk(f *fields) {
	f.text(2, (*string)(&e.Code), maxCode, isCode, required)
	f.seconds(1, &e.RetryAfter, optional)
	f.text(3, &e.Reasons, maxReasons, isReasons, optional)
}
