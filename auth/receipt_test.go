package auth

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func receiptVectors(tb testing.TB) []receiptVector {
	return notEmpty(tb, readVectors[[]receiptVector](tb, "receipts.json"))
}

func TestReceiptVectors(t *testing.T) {
	for _, v := range receiptVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			var r Receipt
			if err := json.Unmarshal(v.Receipt, &r); err != nil {
				t.Fatal(err)
			}
			party := identityOf(t, v.Seed[0])
			if err := r.Verify(party.PublicKey()); err != nil {
				t.Errorf("Verify: %v", err)
			}
			if !bytes.Equal(r.signed(), v.Signed) {
				t.Errorf("signed: %x", r.signed())
			}
			unsigned := Receipt{Party: r.Party, Device: r.Device, Router: r.Router, At: r.At, Erased: r.Erased}
			if again, err := SignReceipt(party, unsigned); err != nil || !reflect.DeepEqual(again, r) {
				t.Errorf("SignReceipt: %+v, %v", again, err)
			}
			var want bytes.Buffer
			if err := json.Compact(&want, v.Receipt); err != nil {
				t.Fatal(err)
			}
			if text, err := json.Marshal(r); err != nil || !bytes.Equal(text, want.Bytes()) {
				t.Errorf("JSON: %s, %v", text, err)
			}
		})
	}
}

// receiptOf returns a receipt of the router with seed 1 about device 2.
func receiptOf(t *testing.T) Receipt {
	t.Helper()
	r, err := SignReceipt(identityOf(t, 1), Receipt{
		Party: string(PeerRouter), Device: identityOf(t, 2).DeviceID(), Router: identityOf(t, 1).RouterID(),
		At: testTime, Erased: []string{"environments", "grant"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSignReceiptSortsAndCuts(t *testing.T) {
	want := receiptOf(t)
	words := []string{"grant", "environments", "grant"}
	r := want
	r.Erased, r.At = words, testTime.Add(time.Second-1).In(time.FixedZone("", 3600))
	r, err := SignReceipt(identityOf(t, 1), r)
	if err != nil || !reflect.DeepEqual(r, want) {
		t.Errorf("%+v, %v", r, err)
	}
	if !slices.Equal(words, []string{"grant", "environments", "grant"}) {
		t.Errorf("the caller's words are now %q", words)
	}
}

// Threat: somebody alters a receipt, or shows one of another party as this
// one's.
func TestReceiptRefusesEveryChange(t *testing.T) {
	router := identityOf(t, 1).PublicKey()
	if err := receiptOf(t).Verify(router); err != nil {
		t.Fatalf("the changes below would be refused for the wrong reason: %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(*Receipt)
		want   error
	}{
		{"another party", func(r *Receipt) { r.Party = string(PeerRelay) }, ErrReceiptSignature},
		{"no party", func(r *Receipt) { r.Party = "" }, ErrReceiptMalformed},
		{"an unknown party", func(r *Receipt) { r.Party = string(PeerDevice) }, ErrReceiptMalformed},
		{"another device", func(r *Receipt) { r.Device[0]++ }, ErrReceiptSignature},
		{"another router", func(r *Receipt) { r.Router[0]++ }, ErrReceiptMalformed},
		{"a second later", func(r *Receipt) { r.At = r.At.Add(time.Second) }, ErrReceiptSignature},
		{"a nanosecond later", func(r *Receipt) { r.At = r.At.Add(1) }, ErrReceiptMalformed},
		{"before 1970", func(r *Receipt) { r.At = time.Unix(-1, 0) }, ErrReceiptMalformed},
		{"the year 10000", func(r *Receipt) { r.At = time.Unix(maxGrantUnix+1, 0) }, ErrReceiptMalformed},
		{"a word more", func(r *Receipt) { r.Erased = append(r.Erased, "keys") }, ErrReceiptSignature},
		{"a word less", func(r *Receipt) { r.Erased = r.Erased[:1] }, ErrReceiptSignature},
		{"no words", func(r *Receipt) { r.Erased = nil }, ErrReceiptSignature},
		{"another word", func(r *Receipt) { r.Erased = []string{"environments", "grants"} }, ErrReceiptSignature},
		{"words moved together", func(r *Receipt) { r.Erased = []string{"environmentsgrant"} }, ErrReceiptSignature},
		{"words in another order", func(r *Receipt) { r.Erased = []string{"grant", "environments"} }, ErrReceiptMalformed},
		{"a word twice", func(r *Receipt) { r.Erased = append(r.Erased, "grant") }, ErrReceiptMalformed},
		{"a word of other letters", func(r *Receipt) { r.Erased = []string{"A\n"} }, ErrReceiptMalformed},
		{"no key", func(r *Receipt) { r.Key = nil }, ErrReceiptMalformed},
		{"another key", func(r *Receipt) { r.Key = identityOf(t, 3).PublicKey() }, ErrReceiptMalformed},
		{"no signature", func(r *Receipt) { r.Signature = nil }, ErrReceiptSignature},
		{"another signature", func(r *Receipt) { r.Signature[0]++ }, ErrReceiptSignature},
		{"a longer signature", func(r *Receipt) { r.Signature = append(r.Signature, 0) }, ErrReceiptSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := receiptOf(t)
			c.change(&r)
			wantRefusal(t, r.Verify(router), c.want)
		})
	}
}

func TestReceiptRefusesAnotherKey(t *testing.T) {
	other := identityOf(t, 3)
	for _, key := range []ed25519.PublicKey{other.PublicKey(), nil, receiptOf(t).Key[:31]} {
		wantRefusal(t, receiptOf(t).Verify(key), ErrReceiptSignature)
	}
	forged := receiptOf(t)
	forged.Party = string(PeerRelay) // a relay's key is not in its receipt's IDs
	forged, err := SignReceipt(other, forged)
	if err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, forged.Verify(other.PublicKey()), nil)
	wantRefusal(t, forged.Verify(identityOf(t, 1).PublicKey()), ErrReceiptSignature)
	forged.Key = identityOf(t, 1).PublicKey()
	wantRefusal(t, forged.Verify(identityOf(t, 1).PublicKey()), ErrReceiptSignature)
}

func TestSignReceiptRefuses(t *testing.T) {
	for name, change := range map[string]func(*Receipt){
		"another router's receipt": func(r *Receipt) { r.Router = identityOf(t, 3).RouterID() },
		"a device's receipt":       func(r *Receipt) { r.Party = string(PeerDevice) },
		"too many words": func(r *Receipt) {
			for n := range MaxErased + 1 {
				r.Erased = append(r.Erased, strings.Repeat("x", n+1))
			}
		},
	} {
		r := receiptOf(t)
		change(&r)
		if got, err := SignReceipt(identityOf(t, 1), r); !errors.Is(err, ErrReceiptMalformed) || got.Signature != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestReceiptRefusesOtherJSON(t *testing.T) {
	text, err := json.Marshal(receiptOf(t))
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for field, value := range map[string]any{
		"party": 1, "device": "secret-word", "router": document["device"], "at": "yesterday",
		"erased": "grant", "key": "AA==", "signature": "!",
	} {
		right := document[field]
		document[field] = value
		changed, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		document[field] = right
		r := Receipt{Party: "kept"}
		if err := json.Unmarshal(changed, &r); !errors.Is(err, ErrReceiptMalformed) || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: %v", field, err)
		}
		if r.Party != "kept" {
			t.Errorf("%s: the receipt was overwritten", field)
		}
	}
}
