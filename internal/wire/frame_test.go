package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func messageFromVector(t testing.TB, v vector) Message {
	t.Helper()
	m := newMessage(typeByName(t, v.Type))
	if m == nil {
		t.Fatalf("%s is not a frame", v.Type)
	}
	setFields(t, m, v.Fields)
	return m
}

func TestFrameVectors(t *testing.T) {
	for _, v := range vectors(t, false) {
		t.Run(v.Name, func(t *testing.T) {
			want, b := messageFromVector(t, v), v.wire(t)
			got, err := ReadMessage(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("read\n%+v, want\n%+v", got, want)
			}
			var out bytes.Buffer
			if err := WriteMessage(&out, want); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), b) {
				t.Errorf("wrote\n%x, want\n%x", out.Bytes(), b)
			}
		})
	}
}

func TestFrameRefused(t *testing.T) {
	sentinels := map[string]error{
		"ErrUnknownType": ErrUnknownType, "ErrTooLarge": ErrTooLarge, "ErrMalformed": ErrMalformed,
		"ErrUnknownCritical": ErrUnknownCritical, "ErrMissing": ErrMissing, "ErrKind": ErrKind,
		"ErrSize": ErrSize, "ErrValue": ErrValue, "ErrEncoding": ErrEncoding,
	}
	testRefused(t, "testdata/refused/frames.json", sentinels, func(b []byte) error {
		_, err := ReadMessage(bytes.NewReader(b))
		return err
	})
}

func TestFieldErrorNamesTheField(t *testing.T) {
	err := WriteMessage(io.Discard, &Open{Router: [32]byte{1}, Grant: make([]byte, MaxGrant+1)})
	var fe *FieldError
	if !errors.As(err, &fe) || fe.Type != TypeOpen || fe.Key != 4 || fe.Err != ErrSize {
		t.Fatalf("error %#v", err)
	}
	if want := "wire: open: field 4 is of a wrong size"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	err = WriteMessage(io.Discard, &Pair{Name: "\n"})
	if !errors.As(err, &fe) || fe.Key != 2 {
		t.Errorf("of two wrong fields: %v, want the first", err)
	}
}

// A message that a peer would refuse is not sent.
func TestWriteRefuses(t *testing.T) {
	key := [32]byte{1}
	for _, c := range []struct {
		m    Message
		want error
	}{
		{&Error{}, ErrMissing},
		{&Error{Code: "Denied"}, ErrValue},
		{&Error{Code: CodeDenied, RetryAfter: -time.Second}, ErrValue},
		{&Error{Code: CodeDenied, RetryAfter: -time.Millisecond}, ErrValue},
		{&Error{Code: CodeDenied, RetryAfter: (1 << 32) * time.Second}, ErrValue},
		{&Register{Token: make([]byte, MaxToken+1)}, ErrSize},
		{&Registered{IdleTimeout: time.Second}, ErrMissing},
		{&Open{}, ErrMissing},
		{&Open{Router: key, Purpose: 2}, ErrValue},
		{&Opened{Secret: key}, ErrMissing},
		{&Opened{Leg: 1}, ErrMissing},
		{&Incoming{Leg: 1, Secret: key}, ErrMissing},
		{&ServiceOpen{}, ErrMissing},
		{&ServiceOpen{Service: "a b"}, ErrValue},
		{&Pair{Proof: key, Name: "\xff"}, ErrValue},
		{&Pair{Proof: key, Name: strings.Repeat("a", MaxName+1)}, ErrSize},
		{&Paired{}, ErrMissing},
		{&Error{Code: CodeEnvDenied, Reasons: "geo, net"}, ErrValue},
		{&Open{Router: key, WiFi: make([]byte, ProofSize)}, ErrEncoding},
		{&Open{Router: key, WiFi: key[:]}, ErrSize},
		{&Open{Router: key, Geo: bytes.Repeat(key[:1], ProofSize+1)}, ErrSize},
		{&Open{Router: key, IDToken: "a b"}, ErrValue},
		{&Moved{}, ErrMissing},
		{&Issuer{URL: "https://id.example.org"}, ErrMissing},
		{&Issuer{ClientID: "lethe"}, ErrMissing},
		{&Inspect{Erase: true}, ErrMissing},
		{&Evidence{WiFiSeen: time.Unix(0, 1)}, ErrValue},
		{&Evidence{GeoSeen: time.Unix(-1, 0)}, ErrValue},
		{&Evidence{GeoSeen: time.Unix(1<<32, 0)}, ErrValue},
		{&Verdict{}, ErrMissing},
		{&Verdict{Verdict: VerdictAllow + 1}, ErrValue},
		{&Verdict{Verdict: VerdictAllow, Score: maxScore + 1}, ErrValue},
		{&Confirm{PIN: "1\n"}, ErrValue},
	} {
		var out bytes.Buffer
		if err := WriteMessage(&out, c.m); !errors.Is(err, c.want) || out.Len() > 0 {
			t.Errorf("%T: error %v, want %v; wrote %d bytes", c.m, err, c.want, out.Len())
		}
	}
}

func TestIgnoredKeys(t *testing.T) {
	for name, frame := range map[string]string{
		"number":                    "20 0009 a2 02 6468747470 05 07",
		"before the known":          "20 0009 a2 01 07 02 6468747470",
		"nested to the limit":       "20 000b a2 02 6468747470 05 818180",
		"key of eight bytes":        "20 0011 a2 02 6468747470 1bffffffffffffffff 07",
		"map with a key of no kind": "20 000b a2 02 6468747470 05 a1f600",
	} {
		m, err := Expect[*ServiceOpen](bytes.NewReader(unhex(t, frame)))
		if err != nil || m.Service != "http" {
			t.Errorf("%s: got %+v, error %v", name, m, err)
		}
	}
}

// Every strict prefix of a frame is an error, and so is every strict prefix of
// its body in a frame of the right length.
func TestFrameTruncated(t *testing.T) {
	for _, v := range vectors(t, false) {
		b := v.wire(t)
		for n := range b {
			want := io.ErrUnexpectedEOF
			if n == 0 {
				want = io.EOF
			}
			if m, err := ReadMessage(bytes.NewReader(b[:n])); err != want || m != nil {
				t.Errorf("%s: %d bytes: error %v, want %v", v.Name, n, err, want)
			}
		}
		body := b[frameHeaderSize:]
		for n := range body {
			frame := append([]byte{b[0], byte(n >> 8), byte(n)}, body[:n]...)
			if _, err := ReadMessage(bytes.NewReader(frame)); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: body of %d bytes: error %v", v.Name, n, err)
			}
		}
	}
}

// The stream goes on after a frame, so a reader must take no byte too many,
// however the bytes come.
func TestReadTakesOneFrame(t *testing.T) {
	for _, v := range vectors(t, false) {
		stream := new(bytes.Reader)
		for _, r := range []io.Reader{stream, iotest.OneByteReader(stream)} {
			stream.Reset(append(v.wire(t), "rest"...))
			if _, err := ReadMessage(r); err != nil {
				t.Errorf("%s: %v", v.Name, err)
			}
			if stream.Len() != len("rest") {
				t.Errorf("%s: %d bytes left", v.Name, stream.Len())
			}
		}
		if _, err := ReadMessage(iotest.DataErrReader(bytes.NewReader(v.wire(t)))); err != nil {
			t.Errorf("%s, with io.EOF on the last byte: %v", v.Name, err)
		}
	}
}

func TestReadReturnsReadersError(t *testing.T) {
	broken := errors.New("broken")
	b := []byte{byte(TypeAccept), 0, 1, 0xa0}
	for n := range b {
		r := io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(broken))
		if _, err := ReadMessage(r); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: error %v", n, err)
		}
	}
}

// An error in the header must not wait for a body that may never come.
func TestReadRefusesByHeader(t *testing.T) {
	for _, header := range []string{"ffffff", "16ffff", "164001"} {
		r := io.MultiReader(bytes.NewReader(unhex(t, header)), iotest.ErrReader(errors.New("read on")))
		_, err := ReadMessage(r)
		if !errors.Is(err, ErrUnknownType) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: error %v", header, err)
		}
	}
}

func TestExpect(t *testing.T) {
	stream := func(m Message) io.Reader {
		var b bytes.Buffer
		if err := WriteMessage(&b, m); err != nil {
			t.Fatal(err)
		}
		return &b
	}
	if m, err := Expect[*Accept](stream(&Accept{})); err != nil || m == nil {
		t.Errorf("got %v, error %v", m, err)
	}

	_, err := Expect[*Accept](stream(&Error{Code: CodeDenied, RetryAfter: time.Second}))
	var remote *Error
	if !errors.As(err, &remote) || remote.RetryAfter != time.Second {
		t.Errorf("error %v", err)
	}
	if !errors.Is(err, CodeDenied) || errors.Is(err, CodeInternal) {
		t.Errorf("error %v does not match by code", err)
	}

	_, err = Expect[*Accept](stream(&ServiceReady{}))
	var unexpected *UnexpectedError
	if !errors.As(err, &unexpected) || *unexpected != (UnexpectedError{TypeAccept, TypeServiceReady}) {
		t.Errorf("error %v", err)
	}
	if want := "wire: got service-ready where accept was expected"; fmt.Sprint(err) != want {
		t.Errorf("%q, want %q", err, want)
	}
}
