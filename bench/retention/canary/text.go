package canary

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf8"
)

// ScanText looks at every byte offset of b, and of what it decodes to as hexadecimal,
// base64, lists of decimals and Go's escapes. Places in decoded text are where the
// decoded piece begins.
func (f *Finder) ScanText(b []byte) Found {
	found := f.Scan(b)
	for _, decode := range []decoder{hexRuns, hexDumps, base64Runs, decimalRuns, goEscapes} {
		decode(b, func(at int, decoded []byte) {
			if len(decoded) >= anchorSize {
				part := f.Scan(decoded)
				for i := range part.Places {
					part.Places[i].Offset = 0
				}
				found.Add(part, "", uint64(at))
			}
		})
	}
	return found
}

// decoder calls yield with what pieces of text stand for, and where each began. decoded is
// valid until yield returns.
type decoder func(text []byte, yield func(at int, decoded []byte))

// base64Runs decodes runs of base64 digits, standard or URL-safe, padded or
// not, in all four alignments. A line's end doesn't end a run.
func base64Runs(text []byte, yield func(int, []byte)) {
	var run, decoded []byte
	for at := 0; at < len(text); at++ {
		begin := at
		run = run[:0]
		for ; at < len(text) && (base64Digit(text[at]) != 0 || text[at] == '\n' || text[at] == '\r'); at++ {
			if c := base64Digit(text[at]); c != 0 {
				run = append(run, c)
			}
		}
		for shift := 0; shift < 4 && len(run)-shift >= 4; shift++ {
			digits := run[shift : shift+(len(run)-shift)/4*4]
			decoded = append(decoded[:0], make([]byte, len(digits)/4*3+2)...)
			n, _ := base64.RawStdEncoding.Decode(decoded, digits)
			rest := run[shift+len(digits):] // two or three digits hold one or two bytes more
			if len(rest) > 1 {
				more, _ := base64.RawStdEncoding.Decode(decoded[n:], rest)
				n += more
			}
			yield(begin, decoded[:n])
		}
	}
}

// base64Digit returns a digit in the standard alphabet; 0 for what is none.
func base64Digit(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
		return c
	case c == '-':
		return '+'
	case c == '_':
		return '/'
	}
	return 0
}

// decimalRuns decodes lists such as "[12 34 255]" and "12,34".
func decimalRuns(text []byte, yield func(int, []byte)) {
	for at := 0; at < len(text); {
		if text[at] < '0' || text[at] > '9' {
			at++
			continue
		}
		var decoded []byte
		begin := at
		for at < len(text) {
			value, n := decimal(text[at:])
			if n == 0 {
				break
			}
			decoded, at = append(decoded, value), at+n
			n = 0
			for at+n < len(text) && n < 2 && bytes.IndexByte([]byte(" ,\n"), text[at+n]) >= 0 {
				n++
			}
			if n == 0 {
				break
			}
			at += n
		}
		yield(begin, decoded)
		for at == begin || at < len(text) && at > 0 && isDecimal(text[at-1]) && isDecimal(text[at]) {
			at++ // too long for a byte: goes by as a whole
		}
	}
}

// decimal reads a number of at most 255; n is 0 if there is none.
func decimal(b []byte) (value byte, n int) {
	v := 0
	for n < len(b) && isDecimal(b[n]) && n < 4 {
		v = 10*v + int(b[n]-'0')
		n++
	}
	if v > 255 || n > 3 {
		return 0, 0
	}
	return byte(v), n
}

func isDecimal(c byte) bool { return c >= '0' && c <= '9' }

// goEscapes undoes the escapes of %q and strconv.Quote, of log/slog and of Prometheus'
// labels, over the whole of a text.
func goEscapes(text []byte, yield func(int, []byte)) {
	if bytes.IndexByte(text, '\\') < 0 {
		return
	}
	decoded := make([]byte, 0, len(text))
	for len(text) > 0 {
		next := bytes.IndexByte(text, '\\')
		if next < 0 {
			next = len(text)
		}
		decoded, text = append(decoded, text[:next]...), text[next:]
		if len(text) == 0 {
			break
		}
		value, multibyte, tail, err := strconv.UnquoteChar(string(text[:min(len(text), longestEscape)]), '"')
		switch {
		case err != nil:
			decoded, text = append(decoded, '\\'), text[1:]
			continue
		case multibyte:
			decoded = utf8.AppendRune(decoded, value)
		default:
			decoded = append(decoded, byte(value))
		}
		text = text[min(len(text), longestEscape)-len(tail):]
	}
	yield(0, decoded)
}

const longestEscape = 10 // \U0010ffff
