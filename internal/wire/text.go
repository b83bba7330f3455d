package wire

import (
	"unicode"
	"unicode/utf8"
)

// ValidServiceName tells whether name can name a service: 1 to 32 bytes of
// a-z, 0-9 and hyphens.
func ValidServiceName(name string) bool {
	return name != "" && checkText(name, maxServiceName, isServiceName) == nil
}

// ValidName tells whether name can be the name of a device or router: 1 to
// MaxName bytes of UTF-8 that are safe to print in one line.
func ValidName(name string) bool {
	return name != "" && checkText(name, MaxName, isLabel) == nil
}

func checkText(s string, limit int, legal func(rune) bool) error {
	if len(s) > limit {
		return ErrSize
	}
	if !utf8.ValidString(s) {
		return ErrValue
	}
	for _, r := range s {
		if !legal(r) {
			return ErrValue
		}
	}
	return nil
}

func isLabel(r rune) bool {
	return !unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

func isPrintableASCII(r rune) bool { return r > ' ' && r <= '~' }

func isServiceName(r rune) bool { return isLowerOrDigit(r) || r == '-' }

func isCode(r rune) bool { return isLowerOrDigit(r) || r == '_' }

func isServices(r rune) bool { return isServiceName(r) || r == ',' }

func isReasons(r rune) bool { return isCode(r) || r == ',' }

func isLowerOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
}
