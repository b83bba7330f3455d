package wire

import (
	"errors"
	"fmt"
)

// What can be wrong with a leg message. [ParseLegMessage] returns these as
// they are, so that a drop costs no allocation.
var (
	ErrLegSize     = errors.New("wire: a leg message has 52 bytes")
	ErrLegType     = errors.New("wire: not a type of leg message")
	ErrLegVersion  = errors.New("wire: leg message of an unknown version")
	ErrLegReserved = errors.New("wire: leg message with reserved bytes that are not zero")
	ErrLegCookie   = errors.New("wire: leg message with a cookie that its type does not have")
)

// What can be wrong with a frame as a whole. A frame that ends early is
// [io.ErrUnexpectedEOF].
var (
	ErrUnknownType = errors.New("wire: unknown frame type")
	ErrTooLarge    = errors.New("wire: frame body larger than 16384 bytes")
	ErrMalformed   = errors.New("wire: frame body is not one CBOR map within the limits")
)

// What can be wrong with one field, or in the case of ErrEncoding with the
// body as a whole; found with [errors.Is] inside a [FieldError].
var (
	ErrUnknownCritical = errors.New("unknown, and must be understood")
	ErrMissing         = errors.New("required, but missing or zero")
	ErrKind            = errors.New("not of its CBOR type")
	ErrSize            = errors.New("of a wrong size")
	ErrValue           = errors.New("outside its range or alphabet")
	ErrEncoding        = errors.New("not in deterministic encoding")
)

// FieldError says which field of a received or sent message is wrong. It
// never holds the field's value, which may be secret.
type FieldError struct {
	Type Type
	Key  uint64
	Err  error // one of the field errors of this package
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("wire: %s: field %d is %s", e.Type, e.Key, e.Err)
}

func (e *FieldError) Unwrap() error { return e.Err }

// UnexpectedError says that a valid message came where another was due.
type UnexpectedError struct {
	Want, Got Type
}

func (e *UnexpectedError) Error() string {
	return fmt.Sprintf("wire: got %s where %s was expected", e.Got, e.Want)
}
