package canary

import (
	"crypto/cipher"
	"encoding/binary"
)

// WindowSize is the size of a window in bytes.
const WindowSize = 16

// Window is a piece of what has crossed the wire.
type Window [WindowSize]byte

// Sought is what a Finder looks for.
type Sought struct {
	Key         Key
	Windows     []Window
	Identifiers []Identifier
}

// Finder looks for canaries, windows and identifiers. It may be used by several
// goroutines.
type Finder struct {
	cipher  cipher.Block
	tag     uint64
	windows map[Window]struct{}
	anchors map[uint64][]pattern // forms of 8 bytes and more, by their anchor
	short   []pattern            // those of less
	sieve   *sieve               // of the first 8 bytes of windows, and of anchors
}

// NewFinder returns a Finder. Windows that are half zeros are left out: such are in
// any memory. [Finder.Windows] says how many are looked for.
func NewFinder(s Sought) *Finder {
	block, tag := s.Key.cipherAndTag()
	f := &Finder{
		cipher: block, tag: tag,
		windows: make(map[Window]struct{}, len(s.Windows)),
		anchors: make(map[uint64][]pattern),
		sieve:   newSieve(len(s.Windows)),
	}
	for _, w := range s.Windows {
		first, second := binary.LittleEndian.Uint64(w[:]), binary.LittleEndian.Uint64(w[8:])
		if first != 0 && second != 0 {
			f.windows[w] = struct{}{}
			f.sieve.add(first)
		}
	}
	for _, id := range s.Identifiers {
		for _, form := range id.forms {
			f.look(form)
		}
	}
	return f
}

func (f *Finder) look(form pattern) {
	if len(form.bytes) < anchorSize {
		f.short = append(f.short, form)
		return
	}
	anchor := form.anchorValue()
	f.anchors[anchor] = append(f.anchors[anchor], form)
	f.sieve.add(anchor)
}

// Windows is the number of different windows that are looked for.
func (f *Finder) Windows() int { return len(f.windows) }

// Scan looks at every byte offset of b.
func (f *Finder) Scan(b []byte) Found {
	var found Found
	for _, part := range f.inParallel(b) {
		found.Add(part, "", 0)
	}
	for _, form := range f.short {
		form.each(b, func(at int) { found.identifier(form.name, at) })
	}
	return found
}

// scanPart looks at the offsets of b from lo to hi. Longer things may reach beyond hi.
//
// Where the next 8 bytes are zeros nothing can begin: no window does, no anchor
// is zero, and a canary does once in 2⁶⁴.
func (f *Finder) scanPart(b []byte, lo, hi int) (found Found) {
	plain := make([]byte, BlockSize)
	end := min(hi, len(b)-2*anchorSize+1)
	at := lo
	for at < end {
		first := binary.LittleEndian.Uint64(b[at:])
		if first == 0 {
			at = skipZeros(b, at, end)
			continue
		}
		second := binary.LittleEndian.Uint64(b[at+8:])
		if second != 0 {
			if f.cipher.Decrypt(plain, b[at:at+BlockSize]); binary.BigEndian.Uint64(plain) == f.tag {
				found.canary(binary.BigEndian.Uint64(plain[8:]), at)
			}
		}
		if f.sieve.has(first) {
			f.sieved(b, at, first, &found)
		}
		at++
	}
	for at = max(at, lo); at < min(hi, len(b)-anchorSize+1); at++ { // too late for blocks and windows
		f.anchored(b, at, binary.LittleEndian.Uint64(b[at:]), &found)
	}
	return found
}

// skipZeros returns the next offset below end whose 8 bytes may be other than zeros; those at `at` are.
func skipZeros(b []byte, at, end int) int {
	for at+zeroPage <= len(b) && isZero(b[at:at+zeroPage]) {
		at += zeroPage - anchorSize + 1
	}
	for at < end && binary.LittleEndian.Uint64(b[at:]) == 0 {
		// The byte behind is in the next 8 offsets' reach: go to the first that has one of the next 8 bytes.
		if at+2*anchorSize <= len(b) && binary.LittleEndian.Uint64(b[at+8:]) == 0 {
			at += anchorSize
		} else {
			at++
		}
	}
	return at
}

// sieved looks for what the sieve has let through.
func (f *Finder) sieved(b []byte, at int, first uint64, found *Found) {
	if _, sought := f.windows[Window(b[at:at+WindowSize])]; sought {
		found.Windows++
		found.place(Place{Kind: KindWindow, Offset: uint64(at)})
	}
	f.anchored(b, at, first, found)
}

// anchored looks for the forms that have these 8 bytes at the place of their anchor.
func (f *Finder) anchored(b []byte, at int, anchor uint64, found *Found) {
	for _, form := range f.anchors[anchor] {
		if begin := at - form.anchor; form.at(b, begin) {
			found.identifier(form.name, begin)
		}
	}
}
