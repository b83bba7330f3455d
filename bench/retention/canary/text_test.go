package canary

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// printed are the ways in which bytes get into text.
func printed() map[string]func([]byte) string {
	join := func(format, separator string) func([]byte) string {
		return func(b []byte) string {
			var all []string
			for _, c := range b {
				all = append(all, fmt.Sprintf(format, c))
			}
			return strings.Join(all, separator)
		}
	}
	wrapped := func(b []byte) string {
		s, out := base64.StdEncoding.EncodeToString(b), ""
		for ; len(s) > 76; s = s[76:] {
			out += s[:76] + "\r\n"
		}
		return out + s
	}
	return map[string]func([]byte) string{
		"raw":     func(b []byte) string { return string(b) },
		"hex":     hex.EncodeToString,
		"HEX":     func(b []byte) string { return fmt.Sprintf("%X", b) },
		"% x":     func(b []byte) string { return fmt.Sprintf("% x", b) },
		"colons":  join("%02x", ":"),
		"%#v":     func(b []byte) string { return fmt.Sprintf("%#v", b)[6:] },
		"0x":      join("0x%02x", ", "),
		`\x`:      join(`\x%02x`, ""),
		"dump":    hex.Dump,
		"std":     base64.StdEncoding.EncodeToString,
		"raw std": base64.RawStdEncoding.EncodeToString,
		"url":     base64.URLEncoding.EncodeToString,
		"raw url": base64.RawURLEncoding.EncodeToString,
		"wrapped": wrapped,
		"%v":      func(b []byte) string { return fmt.Sprintf("%v", b) },
		"json":    join("%d", ","),
		"%q":      func(b []byte) string { return fmt.Sprintf("%q", b) },
		"%+q":     func(b []byte) string { return fmt.Sprintf("%+q", b) },
	}
}

// TestPrinted: a block that stands anywhere in something printed is found, whatever is
// printed around it.
func TestPrinted(t *testing.T) {
	k := NewKey()
	f := NewFinder(Sought{Key: k})
	for name, print := range printed() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				random := rand.NewChaCha8([32]byte{rapid.Uint8().Draw(t, "seed")})
				payload := make([]byte, rapid.IntRange(BlockSize, 300).Draw(t, "size"))
				random.Read(payload)
				at := rapid.IntRange(0, len(payload)-BlockSize).Draw(t, "at")
				copy(payload[at:], filled(k, 1, random.Uint64()))
				before := rapid.SampledFrom([]string{"", "x=", "level=INFO msg=", "\n", "[", "data:", "0 "}).Draw(t, "before")
				after := rapid.SampledFrom([]string{"", "\n", "]", " and so on", "\"", ", 7"}).Draw(t, "after")
				if got := f.ScanText([]byte(before + print(payload) + after)); got.Canaries == 0 {
					t.Fatalf("block at %d of %d is not found between %q and %q", at, len(payload), before, after)
				}
			})
		})
	}
}

func TestTextIdentifiers(t *testing.T) {
	f := NewFinder(Sought{Key: NewKey(), Identifiers: []Identifier{Text("router", "Ab3D-qrst-9xyz"), Bytes("secret", []byte("0123456789abcdef"))}})
	for _, text := range []string{
		"router=Ab3D-qrst-9xyz gone", "AB3D-QRST-9XYZ", "ab3d-qrst-9xyz",
		"secret=30313233343536373839616263646566", "secret=MDEyMzQ1Njc4OWFiY2RlZg==",
	} {
		if got := f.ScanText([]byte(text)); got.Identifiers == 0 || got.Places[0].Name == "" {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if got := f.ScanText([]byte("Ab3D-qrst-9xy and deadbeef 1 2 3 [4 5 6] \\x07")); got.Any() {
		t.Errorf("found what is not there: %+v", got)
	}
}

// FuzzScanText: no text makes it fail, and a block behind any text is found.
func FuzzScanText(f *testing.F) {
	f.Add([]byte("plain"), []byte("300 12 0x7"))
	f.Add([]byte(`\x4`), []byte(`\`))
	f.Add([]byte("00000000  7f |"), []byte("zz=\n="))
	k := Key{1}
	finder := NewFinder(Sought{Key: k})
	block := filled(k, 1, 9)
	f.Fuzz(func(t *testing.T, before, after []byte) {
		for _, text := range []string{string(block), " " + hex.EncodeToString(block) + " "} {
			all := append(append(append([]byte(nil), before...), text...), after...)
			if got := finder.ScanText(all); got.Canaries == 0 {
				t.Errorf("%q is not found in %q", text, all)
			}
		}
	})
}
