package wire

import (
	"math"
	"slices"
	"time"
)

// presence says whether a field may have its zero value and so be left out.
type presence bool

const (
	optional presence = false
	required presence = true
)

// array is a required byte string of exactly the size of v, not all zero.
func (f *fields) array(key uint64, v []byte) {
	b := v
	if f.out == nil {
		b = nil
	}
	ok := codeItem(f, key, &b, majorBytes, required, func() error {
		switch {
		case len(b) != len(v):
			return ErrSize
		case !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }):
			return ErrMissing
		}
		return nil
	})
	if ok {
		copy(v, b)
	}
}

// bytes is a byte string of at most limit bytes.
func (f *fields) bytes(key uint64, v *[]byte, limit int, p presence) {
	codeItem(f, key, v, majorBytes, p, func() error {
		if len(*v) > limit {
			return ErrSize
		}
		return nil
	})
}

// text is a text of at most limit bytes in UTF-8, with legal characters only.
func (f *fields) text(key uint64, v *string, limit int, legal func(rune) bool, p presence) {
	codeItem(f, key, v, majorText, p, func() error {
		return checkText(*v, limit, legal)
	})
}

// uint is a number from 0 to limit.
func (f *fields) uint(key uint64, v *uint64, limit uint64, p presence) {
	codeItem(f, key, v, majorUint, p, func() error {
		if *v > limit {
			return ErrValue
		}
		return nil
	})
}

// legID is the required number of a leg.
func (f *fields) legID(key uint64, v *LegID) {
	f.uint(key, (*uint64)(v), math.MaxUint64, required)
}

// seconds is a time in whole seconds, rounded up when encoding.
func (f *fields) seconds(key uint64, v *time.Duration, p presence) {
	if *v < 0 {
		f.fail(key, ErrValue)
		return
	}
	s := uint64(*v / time.Second)
	if *v%time.Second > 0 {
		s++
	}
	f.uint(key, &s, math.MaxUint32, p)
	if f.out == nil {
		*v = time.Duration(s) * time.Second
	}
}
