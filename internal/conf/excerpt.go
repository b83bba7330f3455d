package conf

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxExcerpt = 120 // characters of a line that fit a terminal beside the line number
	elision    = "…"
)

// plainPrefix is what may stand before a value without being a value itself: "  - target: ".
var plainPrefix = regexp.MustCompile(`^\s*(- +)*([\w-]+:\s*)?$`)

// excerpt shows a line of the file and carets below the word at column, which counts from 1. Of a
// file with secrets, and of a very long line, it shows the word and nothing after it.
func (b *binder) excerpt(at *place, line, column int) string {
	text := []rune(printable(strings.TrimSuffix(string(b.lines[line-1]), "\r")))
	start := min(column-1, len(text))
	end := min(start+width(at.token.Origin), len(text))
	before, word, after := string(text[:start]), string(text[start:end]), string(text[end:])
	if b.discreet || len(text) > maxExcerpt {
		before, word, after = elide(before, word, after)
	}
	if at.secret {
		word, after = elision, ""
	}
	shown := strings.TrimRight(before+word+after, " ")
	carets := strings.Repeat("^", max(1, utf8.RuneCountInString(word)))
	return fmt.Sprintf("%4d | %s\n     | %s%s", line, shown, strings.Repeat(" ", utf8.RuneCountInString(before)), carets)
}

// elide cuts a line down to the word and a harmless beginning.
func elide(before, word, after string) (string, string, string) {
	if !plainPrefix.MatchString(before) || utf8.RuneCountInString(before) > maxExcerpt {
		before = elision + " "
	}
	if r := []rune(word); len(r) > maxExcerpt {
		word = string(r[:maxExcerpt])
		after = elision
	}
	if strings.TrimSpace(after) != "" {
		after = elision
	}
	return before, word, after
}

// width is the number of characters of a token's first line.
func width(origin string) int {
	first, _, _ := strings.Cut(strings.TrimSpace(origin), "\n")
	return max(1, utf8.RuneCountInString(strings.TrimSpace(first)))
}

// printable replaces what would move the cursor, one character for one.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}
