package pin

import (
	"errors"
	"time"
)

var (
	// ErrNotSet says that the router has no PIN.
	ErrNotSet = errors.New("no PIN is set; set one at the router with: lethe-agent pin")
	// ErrWrong says that this is not the PIN. The try was counted.
	ErrWrong = errors.New("the PIN is wrong")
	// ErrBusy says that others are waiting for their answer already. Nothing was counted.
	ErrBusy = errors.New("the router is checking other PINs; try again in a few seconds")
	// ErrWeak says that a PIN is too easy to guess, or can't be typed.
	ErrWeak = errors.New("a PIN needs at least 6 printable characters, not all the same and no run like 123456, in at most 64 bytes")
)

// LockedError says that the PIN was not looked at, because there were too many wrong ones.
type LockedError struct {
	Until time.Time // by the wall clock that Check was given
}

func (e *LockedError) Error() string {
	return "too many wrong PINs; try again after " + e.Until.Format(time.RFC3339)
}
