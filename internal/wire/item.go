package wire

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"
)

// value is what a field holds in CBOR.
type value interface{ uint64 | string | []byte }

// codeItem codes one field: v is its value, check its limits, in both
// directions.
func codeItem[V value](f *fields, key uint64, v *V, kind byte, p presence, check func() error) {
	present, err := !isZero(*v), error(nil)
	if f.out == nil {
		present, err = takeItem(f, key, v, kind)
	}
	switch {
	case err != nil:
	case present:
		err = check()
	case p == required:
		err = ErrMissing
	}
	if err != nil {
		f.fail(key, err)
		return
	}
	if present && f.out != nil {
		f.out[key] = *v
	}
}

// takeItem sets v from the field of the body that has this key, if any.
func takeItem[V value](f *fields, key uint64, v *V, kind byte) (present bool, err error) {
	raw, present := f.in[key]
	delete(f.in, key)
	switch {
	case !present:
		return false, nil
	case major(raw) != kind:
		return true, ErrKind
	}
	if err := decoding.Unmarshal(raw, v); err != nil {
		return true, ErrValue // of the kinds in use, only text that is not UTF-8
	}
	if isZero(*v) || !isDeterministic(*v, raw) {
		return true, ErrEncoding // a zero value has to be left out
	}
	return true, nil
}

// isDeterministic tells whether raw is the one encoding of v.
func isDeterministic[V value | map[uint64]cbor.RawMessage](v V, raw []byte) bool {
	again, err := encoding.Marshal(v)
	return err == nil && bytes.Equal(again, raw)
}

func isZero[V value](v V) bool {
	switch v := any(v).(type) {
	case uint64:
		return v == 0
	case string:
		return v == ""
	case []byte:
		return len(v) == 0
	}
	return false
}
