package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxBody is the largest body of a frame in bytes. It bounds what a peer can
// make a reader allocate.
const MaxBody = 16 << 10

const frameHeaderSize = 3

// Message is a message that travels as a frame on a QUIC stream: a pointer to
// one of this package's message structs.
type Message interface {
	// Type returns the type of the frame. It may be called on a nil pointer.
	Type() Type
	// walk names the message's fields to f.
	walk(f *fields)
}

// newMessage returns an empty message of type t, or nil if no frame has it.
func newMessage(t Type) Message {
	switch t {
	case TypeError:
		return new(Error)
	case TypeRegister:
		return new(Register)
	case TypeRegistered:
		return new(Registered)
	case TypeOpen:
		return new(Open)
	case TypeOpened:
		return new(Opened)
	case TypeIncoming:
		return new(Incoming)
	case TypeAccept:
		return new(Accept)
	case TypeMoved:
		return new(Moved)
	case TypeLogin:
		return new(Login)
	case TypeIssuer:
		return new(Issuer)
	case TypeInspect:
		return new(Inspect)
	case TypeHeld:
		return new(Held)
	case TypeServiceOpen:
		return new(ServiceOpen)
	case TypeServiceReady:
		return new(ServiceReady)
	case TypePair:
		return new(Pair)
	case TypePaired:
		return new(Paired)
	case TypeEvidence:
		return new(Evidence)
	case TypeVerdict:
		return new(Verdict)
	case TypeConfirm:
		return new(Confirm)
	}
	return nil
}

// ReadMessage reads exactly one frame from r and not a byte beyond it. The
// message belongs to the caller.
//
// It returns [io.EOF] if r ends before the frame, [io.ErrUnexpectedEOF] if it
// ends within, r's own error if it fails, and otherwise one of the errors of
// this package. After an error other than io.EOF nothing more can be read from
// r. A peer that violates the protocol is best told so with CodeUnsupported
// for ErrUnknownType and ErrUnknownCritical, CodeBadRequest for the rest.
func ReadMessage(r io.Reader) (Message, error) {
	var header [frameHeaderSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	t := Type(header[0])
	m := newMessage(t)
	if m == nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknownType, t)
	}
	size := binary.BigEndian.Uint16(header[1:])
	if size > MaxBody {
		return nil, fmt.Errorf("%w: %s", ErrTooLarge, t)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if err := decodeBody(m, body); err != nil {
		return nil, err
	}
	return m, nil
}

// WriteMessage writes m as one frame, in a single call of w.Write. It writes
// nothing and returns a [*FieldError] if a field of m breaks the
// specification; other errors are those of w.
func WriteMessage(w io.Writer, m Message) error {
	frame, err := encodeFrame(m)
	if err != nil {
		return err
	}
	_, err = w.Write(frame)
	return err
}

func encodeFrame(m Message) ([]byte, error) {
	body, err := encodeBody(m)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, 0, frameHeaderSize+len(body))
	frame = append(frame, byte(m.Type()))
	frame = binary.BigEndian.AppendUint16(frame, uint16(len(body)))
	return append(frame, body...), nil
}

// Expect reads one frame like [ReadMessage] and returns its message if it is
// an M. An error message from the peer becomes an error of type [*Error], any
// other message an [*UnexpectedError].
func Expect[M Message](r io.Reader) (M, error) {
	var none M
	got, err := ReadMessage(r)
	if err != nil {
		return none, err
	}
	switch m := got.(type) {
	case M:
		return m, nil
	case *Error:
		return none, m
	}
	return none, &UnexpectedError{Want: none.Type(), Got: got.Type()}
}
