package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// revocationsVector is number 7; device 01…01 void up to serial 3, device 02…02 up to 5.
const revocationsVector = "0000000000000007" +
	"0101010101010101010101010101010101010101010101010101010101010101" + "0000000000000003" +
	"0202020202020202020202020202020202020202020202020202020202020202" + "0000000000000005"

func deviceOf(b byte) DeviceID { return DeviceID(bytes.Repeat([]byte{b}, idSize)) }

func TestRevocationsVector(t *testing.T) {
	raw, err := hex.DecodeString(revocationsVector)
	if err != nil {
		t.Fatal(err)
	}
	want := Revocations{Number: 7, Devices: []Revocation{{deviceOf(1), 3}, {deviceOf(2), 5}}}
	got, err := ParseRevocations(raw)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	unsorted := Revocations{Number: 7, Devices: []Revocation{want.Devices[1], want.Devices[0]}}
	if again := unsorted.Append(nil); !bytes.Equal(again, raw) {
		t.Errorf("Append = %x", again)
	}
}

func TestRevoked(t *testing.T) {
	r := Revocations{Number: 1, Devices: []Revocation{{deviceOf(1), 3}, {deviceOf(2), 5}, {deviceOf(9), 0}}}
	for _, tt := range []struct {
		device DeviceID
		serial uint64
		want   bool
	}{
		{deviceOf(1), 3, true}, {deviceOf(1), 1, true}, {deviceOf(1), 4, false}, // it has paired again
		{deviceOf(2), 5, true}, {deviceOf(3), 1, false}, {deviceOf(9), 0, true}, {deviceOf(9), 1, false},
	} {
		if got := r.Revoked(tt.device, tt.serial); got != tt.want {
			t.Errorf("device %d, serial %d: %t", tt.device[0], tt.serial, got)
		}
	}
	if (Revocations{}).Revoked(deviceOf(1), 0) {
		t.Error("nothing is revoked, and a grant is void")
	}
}

func TestParseRevocationsRefuses(t *testing.T) {
	valid, _ := hex.DecodeString(revocationsVector)
	swapped := append(append(bytes.Clone(valid[:8]), valid[48:]...), valid[8:48]...)
	twice := append(append(bytes.Clone(valid[:8]), valid[8:48]...), valid[8:48]...)
	for name, b := range map[string][]byte{
		"empty": nil, "cut": valid[:len(valid)-1], "longer": append(bytes.Clone(valid), 0),
		"out of order": swapped, "one device twice": twice, "too many": make([]byte, MaxRevocationsSize+revocationEntry),
	} {
		if r, err := ParseRevocations(b); !errors.Is(err, ErrRevocations) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestRevocationsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		serials := rapid.MapOfN(rapid.Byte(), rapid.Uint64(), 0, 40).Draw(t, "serials")
		r := Revocations{Number: rapid.Uint64().Draw(t, "number")}
		for b, serial := range serials {
			r.Devices = append(r.Devices, Revocation{deviceOf(b), serial})
		}
		got, err := ParseRevocations(r.Append(nil))
		if err != nil || got.Number != r.Number {
			t.Fatal(got, err)
		}
		for b := range 256 {
			serial, listed := serials[byte(b)]
			if got.Revoked(deviceOf(byte(b)), serial) != listed {
				t.Fatalf("device %d: listed %t", b, listed)
			}
		}
	})
}

func FuzzParseRevocations(f *testing.F) {
	valid, err := hex.DecodeString(revocationsVector)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(valid)
	f.Add(valid[:8])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRevocations(b)
		if err == nil && !bytes.Equal(r.Append(nil), b) {
			t.Errorf("%x became %x", b, r.Append(nil))
		}
	})
}
