package cli

import (
	"strings"
	"unicode"
)

// Printable leaves out what could steer a terminal. A router's word for what it
// is, and that of the machines behind it, is not to be trusted with that.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}
