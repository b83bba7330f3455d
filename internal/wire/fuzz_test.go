package wire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// The attacker of these targets is whoever can write to the port or, for
// frames, holds a connection: every byte is theirs. Nothing may panic, no two
// byte strings may mean the same message, and no altered message may pass for
// the one that was sent.

// FuzzLegFixPoint: what parses is exactly what Append gives back.
func FuzzLegFixPoint(f *testing.F) {
	for _, v := range vectors(f, true) {
		f.Add(v.wire(f), []byte(v.key(f)[:]))
	}
	f.Fuzz(func(t *testing.T, b, secret []byte) {
		var key LegSecret
		copy(key[:], secret)
		m, err := ParseLegMessage(b)
		if err != nil {
			return
		}
		again := m.Append(nil, &key)
		if !bytes.Equal(again[:macOffset], b[:macOffset]) {
			t.Fatalf("%x became %x", b, again)
		}
		if VerifyLegMessage(b, &key) != bytes.Equal(again, b) {
			t.Fatalf("%x: the MAC verifies, but is not the one that Append makes", b)
		}
	})
}

// FuzzLegNonMalleable: a message with any bytes altered does not verify.
func FuzzLegNonMalleable(f *testing.F) {
	sent := vectors(f, true)
	for i := range sent {
		f.Add(uint8(i), sent[(i+1)%len(sent)].wire(f))
	}
	f.Fuzz(func(t *testing.T, i uint8, forged []byte) {
		v := sent[int(i)%len(sent)]
		m, err := ParseLegMessage(forged)
		if err != nil || !VerifyLegMessage(forged, v.key(t)) {
			return
		}
		for _, v := range sent {
			if m == legFromVector(t, v) && bytes.Equal(forged, v.wire(t)) {
				return // one of those that were sent
			}
		}
		t.Fatalf("%x verifies and was never sent", forged)
	})
}

// FuzzFrame: what parses is what WriteMessage gives back, ignored keys aside;
// so of all frames without ignored keys, no two mean the same.
func FuzzFrame(f *testing.F) {
	for _, v := range vectors(f, false) {
		f.Add(v.wire(f))
	}
	for _, v := range loadJSON[struct{ Bytes string }](f, "testdata/refused/frames.json") {
		f.Add(unhex(f, v.Bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		m, err := ReadMessage(r)
		if err != nil {
			return
		}
		frame := b[:len(b)-r.Len()]
		var out bytes.Buffer
		if err := WriteMessage(&out, m); err != nil {
			t.Fatalf("%x parses, but can't be written: %v", frame, err)
		}
		if want := withoutIgnored(t, frame, out.Bytes()); !bytes.Equal(out.Bytes(), want) {
			t.Fatalf("%x became %x", want, out.Bytes())
		}
		again, err := ReadMessage(&out)
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v became %+v, error %v", m, again, err)
		}
	})
}

// withoutIgnored returns frame without the odd keys that known does not have.
// It makes the body anew only if there are any, to leave every other
// difference in place.
func withoutIgnored(t *testing.T, frame, known []byte) []byte {
	var all, kept map[uint64]cbor.RawMessage
	if err := cbor.Unmarshal(frame[frameHeaderSize:], &all); err != nil {
		t.Fatal(err)
	}
	if err := cbor.Unmarshal(known[frameHeaderSize:], &kept); err != nil {
		t.Fatal(err)
	}
	before := len(all)
	for key := range all {
		if _, ok := kept[key]; !ok && key%2 == 1 {
			delete(all, key)
		}
	}
	if len(all) == before {
		return frame
	}
	body, err := encoding.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{frame[0], byte(len(body) >> 8), byte(len(body))}, body...)
}
