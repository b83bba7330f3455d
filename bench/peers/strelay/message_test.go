package strelay

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
)

// rw is a connection whose answers are known.
type rw struct {
	io.Reader
	io.Writer
}

// TestGolden: a message as the specification draws it, both ways.
func TestGolden(t *testing.T) {
	const golden = "9e79bc40" + "00000005" + "0000000c" + // header: magic, ConnectRequest, length
		"00000005" + "0102030405" + "000000" // an opaque field of 5 bytes, padded
	var b bytes.Buffer
	if err := write(&b, typeConnect, opaque([]byte{1, 2, 3, 4, 5})); err != nil || hex.EncodeToString(b.Bytes()) != golden {
		t.Fatalf("%x, %v, want %s", b.Bytes(), err, golden)
	}
	kind, body, err := read(&b)
	if err != nil || kind != typeConnect {
		t.Fatalf("type %d, %v", kind, err)
	}
	if field, rest, err := cut(body); !bytes.Equal(field, []byte{1, 2, 3, 4, 5}) || len(rest) != 0 || err != nil {
		t.Errorf("%x, rest %x, %v", field, rest, err)
	}
}

// TestPrefixes: every prefix of a message is an error.
func TestPrefixes(t *testing.T) {
	var b bytes.Buffer
	write(&b, typeInvitation, append(opaque([]byte("from")), opaque([]byte("key"))...))
	for n := range b.Len() {
		if _, _, err := read(bytes.NewReader(b.Bytes()[:n])); err == nil {
			t.Errorf("the first %d bytes are taken", n)
		}
	}
	field := opaque([]byte("hello"))
	for n := range field {
		if _, _, err := cut(field[:n]); !errors.Is(err, errMessage) {
			t.Errorf("the first %d bytes of a field: %v", n, err)
		}
	}
}

func TestForeign(t *testing.T) {
	for name, b := range map[string]string{
		"no magic": "9e79bc41" + "00000004" + "00000000",
		"too long": "9e79bc40" + "00000004" + "7fffffff",
	} {
		raw, _ := hex.DecodeString(b)
		if _, _, err := read(bytes.NewReader(raw)); !errors.Is(err, errMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := cut([]byte{0xff, 0xff, 0xff, 0xfc}); !errors.Is(err, errMessage) {
		t.Errorf("a field of 4 GB: %v", err)
	}
}

// TestAnswers: a ping in between is answered, a refusal is told, another message is an error.
func TestAnswers(t *testing.T) {
	response := func(code byte) []byte { return append([]byte{0, 0, 0, code}, opaque([]byte("why"))...) }
	for name, c := range map[string]struct {
		kinds  []uint32
		bodies [][]byte
		want   string // in the error; empty: none
		pongs  int
	}{
		"success":    {[]uint32{typeResponse}, [][]byte{response(codeSuccess)}, "", 0},
		"after ping": {[]uint32{typePing, typeResponse}, [][]byte{nil, response(codeSuccess)}, "", 1},
		"refusal":    {[]uint32{typeResponse}, [][]byte{response(1)}, "refuses: 1", 0},
		"empty":      {[]uint32{typeResponse}, [][]byte{nil}, "not a message", 0},
		"another":    {[]uint32{typeJoinRelay}, [][]byte{nil}, "type 2, want 4", 0},
		"nothing":    {nil, nil, "EOF", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var in, out bytes.Buffer
			for i, kind := range c.kinds {
				write(&in, kind, c.bodies[i])
			}
			err := readSuccess(rw{&in, &out})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if out.Len() != c.pongs*headerBytes {
				t.Errorf("%d bytes are answered", out.Len())
			}
		})
	}
}
