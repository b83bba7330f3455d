package wire

import (
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// fields takes a message's fields out of a body, or into one. A message names
// each field once, with key, kind and limits, in its walk method; that one
// list serves both directions, so they can't disagree.
type fields struct {
	typ Type
	in  map[uint64]cbor.RawMessage // decoding: fields not yet taken
	out map[uint64]any             // encoding; nil when decoding
	err error                      // the first error; the walk goes on, to see all keys
}

// encodeBody returns the body of m. The limits of the fields keep every
// message far below MaxBody.
func encodeBody(m Message) ([]byte, error) {
	f := fields{typ: m.Type(), out: make(map[uint64]any)}
	m.walk(&f)
	if f.err != nil {
		return nil, f.err
	}
	return encoding.Marshal(f.out)
}

// decodeBody sets m, which must be zero, from body. Nothing in m refers to
// body afterwards.
func decodeBody(m Message, body []byte) error {
	f := fields{typ: m.Type()}
	if len(body) == 0 || major(body) != majorMap {
		return fmt.Errorf("%w: %s", ErrMalformed, f.typ)
	}
	if err := decoding.Unmarshal(body, &f.in); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformed, f.typ, err)
	}
	// The values are checked one by one; here are the map's head and its keys.
	if !isDeterministic(f.in, body) {
		return fmt.Errorf("wire: %s: body is %w", f.typ, ErrEncoding)
	}
	m.walk(&f)
	f.checkUnknown()
	return f.err
}

// checkUnknown refuses an even key that the walk did not take. It overrides
// what else is wrong: a newer version may have changed the meaning of the rest.
func (f *fields) checkUnknown() {
	var critical []uint64
	for key := range f.in {
		if key%2 == 0 {
			critical = append(critical, key)
		}
	}
	if len(critical) > 0 {
		f.err = &FieldError{f.typ, slices.Min(critical), ErrUnknownCritical}
	}
}

func (f *fields) fail(key uint64, err error) {
	if f.err == nil {
		f.err = &FieldError{f.typ, key, err}
	}
}
