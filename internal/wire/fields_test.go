package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// sendThrough returns m as its receiver sees it, and its body.
func sendThrough[M Message](t *testing.T, m M) (M, []byte) {
	t.Helper()
	var stream bytes.Buffer
	if err := WriteMessage(&stream, m); err != nil {
		t.Fatal(err)
	}
	body := bytes.Clone(stream.Bytes()[frameHeaderSize:])
	got, err := Expect[M](&stream)
	if err != nil {
		t.Fatal(err)
	}
	return got, body
}

// alter returns the frame of v with another value of one field, or without the
// field if value is nil.
func alter(t *testing.T, v vector, key uint64, value any) []byte {
	t.Helper()
	frame, body := v.wire(t), map[uint64]any{}
	if err := decoding.Unmarshal(frame[frameHeaderSize:], &body); err != nil {
		t.Fatal(err)
	}
	body[key] = value
	if value == nil {
		delete(body, key)
	}
	b, err := encoding.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{frame[0], byte(len(b) >> 8), byte(len(b))}, b...)
}

// vectorOf returns the first vector of a type.
func vectorOf(t *testing.T, typ Type) vector {
	t.Helper()
	for _, v := range vectors(t, false) {
		if v.Type == typ.String() {
			return v
		}
	}
	t.Fatalf("no vector for %s", typ)
	return vector{}
}

func TestLargestMessagesFit(t *testing.T) {
	var id TagID
	var key [32]byte
	for _, b := range [][]byte{id[:], key[:]} {
		copy(b, bytes.Repeat([]byte{0xff}, len(b)))
	}
	vouched, grant, reasons := Vouched{id, id, id, id, true, true}, make([]byte, MaxGrant), strings.Repeat("a", maxReasons)
	proof, long := bytes.Repeat(key[:1], ProofSize), strings.Repeat("a", maxIssuer)
	for _, m := range []Message{
		&Register{make([]byte, MaxToken), long[:maxVersion], make([]byte, MaxRevocations)},
		&Open{key, grant, PurposePairing, key, proof, proof, strings.Repeat("a", MaxIDToken)},
		&Incoming{^LegID(0), key, key, grant, PurposePairing, vouched},
		&Issuer{long, long},
		&Held{1, 1, 1, make([]byte, MaxReceipt)},
		&Verdict{VerdictDeny, maxScore, maxScore, reasons, grant, true, true, strings.Repeat("a", maxWithheld)},
	} {
		body, err := encodeBody(m)
		if err != nil || len(body) > MaxBody {
			t.Errorf("%s: %d bytes, error %v", m.Type(), len(body), err)
		}
		if err := decodeBody(newMessage(m.Type()), body); err != nil {
			t.Error(err)
		}
	}
}

// The large limits of received fields; the small ones are in testdata/refused.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		typ   Type
		key   uint64
		limit int
		text  bool
	}{
		{TypeError, 3, 512, true},
		{TypeRegister, 3, 10248, false},
		{TypeOpen, 7, 8192, true},
		{TypeIncoming, 8, 4096, false},
		{TypeIssuer, 2, 512, true},
		{TypeIssuer, 4, 512, true},
		{TypeHeld, 7, 2048, false},
		{TypePaired, 2, 4096, false},
		{TypeVerdict, 5, 512, true},
		{TypeVerdict, 7, 4096, false},
		{TypeVerdict, 13, 2112, true},
	} {
		for size, want := range map[int]error{c.limit: nil, c.limit + 1: ErrSize} {
			var value any = bytes.Repeat([]byte("a"), size)
			if c.text {
				value = strings.Repeat("a", size)
			}
			frame := alter(t, vectorOf(t, c.typ), c.key, value)
			if _, err := ReadMessage(bytes.NewReader(frame)); !errors.Is(err, want) {
				t.Errorf("%s: field %d of %d bytes: error %v, want %v", c.typ, c.key, size, err, want)
			}
		}
	}
}

// What has its zero value is left out, and what is left out has its zero value.
func TestZeroIsLeftOut(t *testing.T) {
	for _, m := range []Message{
		&Register{}, &Login{}, &Held{}, &Evidence{}, &Confirm{},
	} {
		got, body := sendThrough(t, m)
		if !reflect.DeepEqual(got, m) || !bytes.Equal(body, []byte{0xa0}) {
			t.Errorf("%s: body %x, received as %+v", m.Type(), body, got)
		}
	}
	sent := &Moved{Leg: 1, Vouched: Vouched{ASN: TagID{15: 1}}}
	got, body := sendThrough(t, sent)
	if want := unhex(t, "a2 02 01 05 50 00000000000000000000000000000001"); !bytes.Equal(body, want) {
		t.Errorf("body %x, want %x", body, want)
	}
	if *got != *sent {
		t.Errorf("received %+v, want %+v", got, sent)
	}
}

func TestInstants(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for _, c := range []struct{ sent, want time.Time }{
		{time.Time{}, time.Time{}},
		{time.Unix(1, 999_999_999), time.Unix(1, 0)},
		{time.Unix(1<<32-1, 0).In(zone), time.Unix(1<<32-1, 0)},
	} {
		got, _ := sendThrough(t, &Evidence{WiFiSeen: c.sent})
		if !got.WiFiSeen.Equal(c.want) || got.WiFiSeen.Location() != time.UTC || !got.GeoSeen.IsZero() {
			t.Errorf("%v became %v, want %v", c.sent, got.WiFiSeen, c.want)
		}
	}
}

// One message may go to many peers at once. The race detector sees if that
// changes it.
func TestWriteOnlyReads(t *testing.T) {
	for _, v := range vectors(t, false) {
		m := messageFromVector(t, v)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := WriteMessage(io.Discard, m); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if !reflect.DeepEqual(m, messageFromVector(t, v)) {
			t.Errorf("%s: changed to %+v", v.Name, m)
		}
	}
}
