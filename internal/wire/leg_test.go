package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func legFromVector(t testing.TB, v vector) LegMessage {
	m := LegMessage{Type: typeByName(t, v.Type)}
	setFields(t, &m, v.Fields)
	return m
}

func TestLegVectors(t *testing.T) {
	for _, v := range vectors(t, true) {
		t.Run(v.Name, func(t *testing.T) {
			want, key, b := legFromVector(t, v), v.key(t), v.wire(t)
			got, err := ParseLegMessage(b)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("parsed\n%+v, want\n%+v", got, want)
			}
			if !VerifyLegMessage(b, key) {
				t.Error("the MAC of the vector does not verify")
			}
			if enc := want.Append(nil, key); !bytes.Equal(enc, b) {
				t.Errorf("encoded\n%x, want\n%x", enc, b)
			}
			if IsQUIC(b) {
				t.Error("taken for QUIC")
			}
		})
	}
}

func TestLegAppendKeepsPrefix(t *testing.T) {
	m := LegMessage{Type: TypeBind, Leg: 1, Counter: 1}
	key := &LegSecret{1}
	b := m.Append([]byte("prefix"), key)
	rest, ok := bytes.CutPrefix(b, []byte("prefix"))
	if !ok || !bytes.Equal(rest, m.Append(nil, key)) {
		t.Errorf("got %x", b)
	}
}

func TestLegTruncated(t *testing.T) {
	for _, v := range vectors(t, true) {
		b := v.wire(t)
		for n := range b {
			if _, err := ParseLegMessage(b[:n]); !errors.Is(err, ErrLegSize) {
				t.Errorf("%s: %d bytes: error %v", v.Name, n, err)
			}
			if VerifyLegMessage(b[:n], v.key(t)) {
				t.Errorf("%s: %d bytes verified", v.Name, n)
			}
		}
	}
}

func TestLegRefused(t *testing.T) {
	sentinels := map[string]error{
		"ErrLegSize": ErrLegSize, "ErrLegType": ErrLegType, "ErrLegVersion": ErrLegVersion,
		"ErrLegReserved": ErrLegReserved, "ErrLegCookie": ErrLegCookie,
	}
	testRefused(t, "testdata/refused/leg.json", sentinels, func(b []byte) error {
		_, err := ParseLegMessage(b)
		return err
	})
}

// testRefused checks that parse refuses each vector for its reason, and that
// each reason has a vector.
func testRefused(t *testing.T, file string, sentinels map[string]error, parse func([]byte) error) {
	seen := map[string]bool{}
	for _, v := range loadJSON[struct{ Name, Error, Bytes string }](t, file) {
		seen[v.Error] = true
		want, ok := sentinels[v.Error]
		if !ok {
			t.Errorf("%s: unknown error %q", v.Name, v.Error)
			continue
		}
		if err := parse(unhex(t, v.Bytes)); !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", v.Name, err, want)
		}
	}
	for name := range sentinels {
		if !seen[name] {
			t.Errorf("no vector for %s", name)
		}
	}
}

// Every bit of a message is under the MAC, and every bit of the secret counts.
func TestLegMACCoversEveryBit(t *testing.T) {
	for _, v := range vectors(t, true) {
		b, key := v.wire(t), v.key(t)
		for bit := range 8 * len(b) {
			b[bit/8] ^= 1 << (bit % 8)
			if VerifyLegMessage(b, key) {
				t.Errorf("%s: verified with bit %d flipped", v.Name, bit)
			}
			b[bit/8] ^= 1 << (bit % 8)
		}
		for bit := range 8 * len(key) {
			key[bit/8] ^= 1 << (bit % 8)
			if VerifyLegMessage(b, key) {
				t.Errorf("%s: verified with bit %d of the secret flipped", v.Name, bit)
			}
			key[bit/8] ^= 1 << (bit % 8)
		}
	}
}

func TestLegMACIsHMAC(t *testing.T) {
	for i := range 100 {
		key := LegSecret(sha256.Sum256([]byte{byte(i)}))
		text := bytes.Repeat([]byte{byte(i)}, macOffset)
		h := hmac.New(sha256.New, key[:])
		h.Write(text)
		if got := key.mac(text); !bytes.Equal(got[:], h.Sum(nil)[:macSize]) {
			t.Fatalf("mac(%x, %x) = %x", key[:], text, got)
		}
	}
}

func TestLegSecretIsNotPrinted(t *testing.T) {
	m := Opened{Leg: 1, Secret: LegSecret{0xab, 0xcd}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q"} {
		out := fmt.Sprintf(verb, m) + fmt.Sprintf(verb, m.Secret) + fmt.Sprintf(verb, &m.Secret)
		for _, leak := range []string{"abcd", "ABCD", "171", "0xab"} {
			if strings.Contains(out, leak) {
				t.Errorf("%s prints %s", verb, out)
			}
		}
	}
}

func TestLegMessagesDoNotAllocate(t *testing.T) {
	key := &LegSecret{1}
	m := LegMessage{Type: TypeBind, Leg: 1, Counter: 2, Cookie: Cookie{3}}
	buf := make([]byte, 0, LegMessageSize)
	bad := make([]byte, LegMessageSize)
	allocs := testing.AllocsPerRun(100, func() {
		b := m.Append(buf, key)
		if _, err := ParseLegMessage(b); err != nil || !VerifyLegMessage(b, key) {
			t.Error("not accepted")
		}
		if _, err := ParseLegMessage(bad); err == nil {
			t.Error("accepted")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestIsQUIC(t *testing.T) {
	for b, want := range map[string]bool{
		"": false, "\x40": true, "\xc0": true, "\x7f\x00": true, "\x04": false, "\x80": false, "\x3f\x40": false,
	} {
		if IsQUIC([]byte(b)) != want {
			t.Errorf("IsQUIC(%x) = %v", b, !want)
		}
	}
}

func BenchmarkVerifyLegMessage(b *testing.B) {
	key := &LegSecret{1}
	msg := LegMessage{Type: TypeBind, Leg: 1, Counter: 2}.Append(nil, key)
	b.ReportAllocs()
	for b.Loop() {
		VerifyLegMessage(msg, key)
	}
}
