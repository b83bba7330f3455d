package strelay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// From the specification.
const (
	magic       = 0x9e79bc40
	headerBytes = 12

	typePing, typePong       = 0, 1
	typeJoinRelay            = 2
	typeJoinSession          = 3
	typeResponse             = 4
	typeConnect              = 5
	typeInvitation           = 6
	codeSuccess              = 0
	maxBodyBytes             = 4 << 10 // more than any message has
	xdrAlignment             = 4
	lengthBytes, numberBytes = 4, 4
)

var errMessage = errors.New("not a message of the relay protocol")

// opaque is an XDR field of some bytes, with its length in front and zeros behind
// up to a multiple of four.
func opaque(b []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
	out = append(out, b...)
	return append(out, make([]byte, -len(b)&(xdrAlignment-1))...)
}

// cut takes an opaque field from the front of a body.
func cut(body []byte) (field, rest []byte, err error) {
	if len(body) < lengthBytes {
		return nil, nil, errMessage
	}
	n, body := int(binary.BigEndian.Uint32(body)), body[lengthBytes:]
	padded := n + -n&(xdrAlignment-1)
	if n < 0 || n > maxBodyBytes || padded > len(body) {
		return nil, nil, errMessage
	}
	return body[:n], body[padded:], nil
}

func write(w io.Writer, kind uint32, body []byte) error {
	m := binary.BigEndian.AppendUint32(nil, magic)
	m = binary.BigEndian.AppendUint32(m, kind)
	m = binary.BigEndian.AppendUint32(m, uint32(len(body)))
	_, err := w.Write(append(m, body...))
	return err
}

func read(r io.Reader) (kind uint32, body []byte, err error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(header[8:])
	if binary.BigEndian.Uint32(header[:]) != magic || n > maxBodyBytes {
		return 0, nil, errMessage
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return binary.BigEndian.Uint32(header[4:]), body, err
}

// readAs reads the next message that is no ping, which has to be of that kind.
func readAs(rw io.ReadWriter, want uint32) ([]byte, error) {
	for {
		kind, body, err := read(rw)
		switch {
		case err != nil:
			return nil, err
		case kind == want:
			return body, nil
		case kind != typePing:
			return nil, fmt.Errorf("%w: type %d, want %d, body %q", errMessage, kind, want, body)
		}
		if err := write(rw, typePong, nil); err != nil {
			return nil, err
		}
	}
}

// readSuccess reads a Response, which has to be that of success.
func readSuccess(rw io.ReadWriter) error {
	body, err := readAs(rw, typeResponse)
	if err != nil {
		return err
	}
	if len(body) < numberBytes {
		return errMessage
	}
	if code := binary.BigEndian.Uint32(body); code != codeSuccess {
		return fmt.Errorf("the relay refuses: %d %q", code, body[numberBytes:])
	}
	return nil
}
