package canary

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
)

// anchorSize is the number of bytes by which forms are looked up.
const anchorSize = 8

// Identifier is a named value in all its forms. Make one with [Bytes], [Text]
// or [Address].
type Identifier struct {
	name  string
	forms []pattern
}

// Bytes is an identifier of at least 8 bytes that aren't mostly zeros, such as a key; it
// panics if it is shorter. Name is what reports call it: they never show the value.
func Bytes(name string, value []byte) Identifier {
	if len(value) < anchorSize {
		panic("canary: an identifier of less than 8 bytes would be found by chance")
	}
	form := pattern{name: name, bytes: slices.Clone(value)}
	return Identifier{name, []pattern{form.anchored()}}
}

// Text is an identifier that is printed, such as a RouterID, in its case and in lower and
// upper case. It panics if it has less than 6 bytes.
func Text(name, value string) Identifier {
	if len(value) < 6 {
		panic("canary: a text of less than 6 bytes would be found by chance")
	}
	id := Identifier{name: name}
	forms := []string{value, strings.ToLower(value), strings.ToUpper(value)}
	slices.Sort(forms)
	for _, form := range slices.Compact(forms) {
		id.forms = append(id.forms, pattern{name: name, bytes: []byte(form)}.anchored())
	}
	return id
}

// Address is an IP address, as Go, the kernel and people write it. Four bytes by
// themselves say nothing (they are in 150 MB of random memory once in thirty
// scans), so an IPv4 address is looked for as net.IP, netip.Addr and
// sockaddr_in hold it, and as text. Ports don't count.
func Address(name string, a netip.Addr) Identifier {
	a = a.Unmap()
	id := Identifier{name: name}
	add := func(p pattern) {
		p.name = name
		id.forms = append(id.forms, p.anchored())
	}
	add(pattern{bytes: []byte(a.String()), whole: true})
	mapped := a.As16()
	add(pattern{bytes: mapped[:]}) // net.IP, sockaddr_in6
	add(pattern{bytes: asNetip(mapped)})
	if a.Is4() {
		four := a.As4()
		sockaddr := slices.Concat(nativeFamilyINET(), []byte{0, 0}, four[:], make([]byte, 8))
		add(pattern{bytes: sockaddr, wild: [2]int{2, 4}})
	}
	return id
}

// asNetip is how netip.Addr lies in memory: two 64-bit numbers.
func asNetip(a [16]byte) []byte {
	b := binary.NativeEndian.AppendUint64(nil, binary.BigEndian.Uint64(a[:8]))
	return binary.NativeEndian.AppendUint64(b, binary.BigEndian.Uint64(a[8:]))
}

// nativeFamilyINET is AF_INET as a sockaddr begins with it.
func nativeFamilyINET() []byte { return binary.NativeEndian.AppendUint16(nil, 2) }

// pattern is one form of an identifier.
type pattern struct {
	name   string
	bytes  []byte
	wild   [2]int // the bytes from [0] to [1] are not compared
	whole  bool   // an address in text, which must not be part of a longer one
	anchor int    // where the 8 bytes are by which it is looked up
}

// anchored chooses the 8 bytes that are zeros least.
func (p pattern) anchored() pattern {
	most := -1
	for at := 0; at+anchorSize <= len(p.bytes); at++ {
		if at < p.wild[1] && at+anchorSize > p.wild[0] {
			continue
		}
		if n := nonzero(p.bytes[at : at+anchorSize]); n > most {
			p.anchor, most = at, n
		}
	}
	return p
}

func nonzero(b []byte) int { return len(b) - bytes.Count(b, []byte{0}) }

func (p pattern) anchorValue() uint64 { return binary.LittleEndian.Uint64(p.bytes[p.anchor:]) }

// at says whether p is at an offset of b, which may lie outside.
func (p pattern) at(b []byte, begin int) bool {
	end := begin + len(p.bytes)
	if begin < 0 || end > len(b) {
		return false
	}
	wild := p.wild
	if !bytes.Equal(b[begin:begin+wild[0]], p.bytes[:wild[0]]) || !bytes.Equal(b[begin+wild[1]:end], p.bytes[wild[1]:]) {
		return false
	}
	return !p.whole || !p.continues(b, begin-1, -1) && !p.continues(b, end, 1)
}

// continues says whether the byte at `at`, next to an address, makes it another
// one: a digit does, and so does a dot with a digit behind it.
func (p pattern) continues(b []byte, at, step int) bool {
	if bytes.IndexByte(p.bytes, ':') >= 0 {
		return digit(b, at, "0123456789abcdefABCDEF")
	}
	const decimal = "0123456789"
	return digit(b, at, decimal) || digit(b, at, ".") && digit(b, at+step, decimal)
}

func digit(b []byte, at int, digits string) bool {
	return at >= 0 && at < len(b) && strings.IndexByte(digits, b[at]) >= 0
}

// each calls f with each offset of b at which p is.
func (p pattern) each(b []byte, f func(at int)) {
	for at := 0; ; at++ {
		next := bytes.Index(b[at:], p.bytes)
		if next < 0 {
			return
		}
		at += next
		if p.at(b, at) {
			f(at)
		}
	}
}
