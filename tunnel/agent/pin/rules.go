package pin

import (
	"unicode"
	"unicode/utf8"
)

const (
	minLength = 6  // characters
	maxSize   = 64 // bytes, which is what a device can send
)

// acceptable tells whether a person may choose this PIN.
func acceptable(pin string) bool {
	if len(pin) > maxSize || !utf8.ValidString(pin) {
		return false
	}
	chars := []rune(pin)
	for _, c := range chars {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return len(chars) >= minLength && !isRun(chars)
}

// isRun tells whether the step from each character to the next is the same, as
// in 111111, 123456, fedcba, 135791 and 567890.
func isRun(chars []rune) bool {
	for i := 2; i < len(chars); i++ {
		if step(chars[i-1], chars[i]) != step(chars[0], chars[1]) {
			return false
		}
	}
	return true
}

// step is how far b is from a; 0 comes after 9.
func step(a, b rune) rune {
	if isDigit(a) && isDigit(b) {
		return (b - a + 10) % 10
	}
	return b - a
}

func isDigit(c rune) bool { return '0' <= c && c <= '9' }
