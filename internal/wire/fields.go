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

// array is a byte string of exactly the size of v. All zero stands for a field
// that is not there.
func (f *fields) array(key uint64, v []byte, p presence) {
	var b []byte
	if f.out != nil && !isAllZero(v) {
		b = v
	}
	f.fixed(key, &b, len(v), p)
	if f.out == nil {
		copy(v, b)
	}
}

// fixed is a byte string of exactly size bytes, not all zero.
func (f *fields) fixed(key uint64, v *[]byte, size int, p presence) {
	codeItem(f, key, v, majorBytes, p, func() error {
		switch {
		case len(*v) != size:
			return ErrSize
		case isAllZero(*v):
			return ErrEncoding // it has to be left out
		}
		return nil
	})
}

func isAllZero(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 })
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

// octet is a number from 0 to limit that fits one byte.
func (f *fields) octet(key uint64, v *uint8, limit uint8, p presence) {
	n := uint64(*v)
	f.uint(key, &n, uint64(limit), p)
	if f.out == nil {
		*v = uint8(n)
	}
}

// flag is 1 for yes, and left out for no.
func (f *fields) flag(key uint64, v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	f.octet(key, &n, 1, optional)
	if f.out == nil {
		*v = n == 1
	}
}

// count is a number of things.
func (f *fields) count(key uint64, v *uint64) { f.uint(key, v, math.MaxUint64, optional) }

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

// instant is a time in whole seconds since 1970, rounded down when encoding. The
// zero time stands for a field that is not there.
func (f *fields) instant(key uint64, v *time.Time) {
	var s uint64
	if !v.IsZero() {
		if v.Unix() <= 0 {
			f.fail(key, ErrValue)
			return
		}
		s = uint64(v.Unix())
	}
	f.uint(key, &s, math.MaxUint32, optional)
	if f.out == nil && s > 0 {
		*v = time.Unix(int64(s), 0).UTC()
	}
}
