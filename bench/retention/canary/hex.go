package canary

import (
	"bytes"
	"encoding/hex"
)

// hexRuns decodes pairs of hexadecimal digits that follow each other: as one
// number, or one by one as in "7f 3a", "7f:3a" and "0x7f, 0x3a". Digits that
// follow each other directly are taken in both alignments.
func hexRuns(text []byte, yield func(int, []byte)) {
	for at := 0; at < len(text); {
		if hexDigit(text[at]) < 0 {
			at++
			continue
		}
		decoded, end := hexRun(text, at)
		yield(at, decoded)
		if shifted, _ := hexRun(text, at+1); len(decoded) > 1 && end-at <= 2*len(decoded)+1 {
			yield(at+1, shifted)
		}
		at = max(end, at+1)
	}
}

// hexRun decodes the run that begins at `at` and returns the offset behind it.
func hexRun(text []byte, at int) (decoded []byte, end int) {
	for at < len(text) {
		value, n := hexByte(text[at:])
		if n == 0 || n == 1 && (at == 0 || text[at-1] != 'x') { // "0x7" is a byte, "7" is half of one
			break
		}
		decoded, at = append(decoded, value), at+n
		end = at
		at += separator(text[at:])
	}
	return decoded, max(end, at)
}

// separator is the length of what stands between two bytes in hexadecimal: at most two
// of " ,:-" or a line's end, then at most one "0x" or "\x".
func separator(b []byte) (n int) {
	for n < len(b) && n < 2 && bytes.IndexByte([]byte(" ,:-\n"), b[n]) >= 0 {
		n++
	}
	if n+1 < len(b) && (b[n] == '0' || b[n] == '\\') && b[n+1] == 'x' {
		n += 2
	}
	return n
}

// hexDumps decodes what encoding/hex.Dump and hexdump -C print: lines of an
// offset, 16 bytes and the same as text between bars.
func hexDumps(text []byte, yield func(int, []byte)) {
	var decoded []byte
	begin, at := 0, 0
	for line := range bytes.Lines(text) {
		if row, ok := dumpRow(line); ok {
			decoded = append(decoded, row...)
		} else {
			yield(begin, decoded)
			begin, decoded = at+len(line), decoded[:0]
		}
		at += len(line)
	}
	yield(begin, decoded)
}

// dumpRow decodes a line of a dump: the bytes are its last words before the bar.
func dumpRow(line []byte) (row []byte, ok bool) {
	line, _, ok = bytes.Cut(line, []byte("|"))
	words := bytes.Fields(line)
	first := len(words)
	for first > 0 && len(words[first-1]) == 2 {
		first--
	}
	row, err := hex.DecodeString(string(bytes.Join(words[first:], nil)))
	return row, ok && err == nil && len(row) > 0
}

// hexByte reads one or two digits.
func hexByte(b []byte) (value byte, n int) {
	for v := 0; n < len(b) && n < 2; n++ {
		digit := hexDigit(b[n])
		if digit < 0 {
			break
		}
		v = v<<4 | digit
		value = byte(v)
	}
	return value, n
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
