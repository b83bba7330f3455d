package suite

import (
	"errors"
	"fmt"
)

// notShort is the reason of what only the long form measures.
const notShort = "not in the short form"

// SkipError says that something can't be measured here, which is no failure: a
// program is missing, or a right.
type SkipError struct{ Reason string }

func (e *SkipError) Error() string { return "skipped: " + e.Reason }

// Skip makes the error with which a line, or a whole scenario that is measured
// elsewhere, says why it is left out on this machine. Table and report repeat
// the reason. A bar that needs what was left out is neither reached nor missed.
func Skip(format string, args ...any) error {
	return &SkipError{fmt.Sprintf(format, args...)}
}

// skipped is the reason of an error made by [Skip]; ok is false for other errors.
func skipped(err error) (reason string, ok bool) {
	var skip *SkipError
	if errors.As(err, &skip) {
		return skip.Reason, true
	}
	return "", false
}
