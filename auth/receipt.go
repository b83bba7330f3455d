package auth

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/internal/wire"
)

const (
	// MaxErased is how many kinds of data a [Receipt] may list.
	MaxErased = 32

	labelReceipt = "lethe erasure receipt v1"
)

// Receipt is the signed word of a router or a relay that it has erased what it
// held about a device. The person keeps it. [SignReceipt] makes one.
//
// As JSON it has the fields party, device, router, at, erased, key and
// signature; the IDs as they are printed, the time in RFC 3339, key and
// signature in base64url without padding.
type Receipt struct {
	Party     string            `json:"party"`  // who erased: [PeerRouter] or [PeerRelay]
	Device    DeviceID          `json:"device"` // about whom
	Router    RouterID          `json:"router"` // for whose sake the party held it
	At        time.Time         `json:"at"`     // whole seconds, UTC
	Erased    []string          `json:"erased"` // what: sorted words such as "grant"; empty if there was nothing
	Key       ed25519.PublicKey `json:"-"`      // the party's, as it says itself
	Signature []byte            `json:"-"`      // 64 bytes, Ed25519
}

// SignReceipt returns r as it is signed by id: the words sorted, the time in
// whole seconds, key and signature filled in. The words are of a-z, 0-9 and
// '-', at most 32 bytes each. Errors wrap [ErrReceiptMalformed]. It leaves r's
// slices alone.
func SignReceipt(id *Identity, r Receipt) (Receipt, error) {
	r.Key = id.PublicKey()
	r, err := r.canonical()
	if err != nil {
		return Receipt{}, err
	}
	r.Signature = ed25519.Sign(id.key, r.signed())
	return r, nil
}

// Verify checks that the holder of key, which must be known from elsewhere,
// signed all of r. A router's receipt must also name that router. Errors:
// [ErrReceiptMalformed], [ErrReceiptSignature].
func (r Receipt) Verify(key ed25519.PublicKey) error {
	same, err := r.canonical()
	if err != nil {
		return err
	}
	if !r.At.Equal(same.At) || !slices.Equal(r.Erased, same.Erased) {
		return malformedReceipt("its time or its words are not as a party writes them")
	}
	if !r.Key.Equal(key) || !ed25519.Verify(r.Key, r.signed(), r.Signature) {
		return ErrReceiptSignature
	}
	return nil
}

// canonical returns r as it is signed, or why it can't be.
func (r Receipt) canonical() (Receipt, error) {
	r.At = time.Unix(r.At.Unix(), 0).UTC()
	words := append([]string{}, r.Erased...) // never nil, so that JSON says []
	slices.Sort(words)
	r.Erased = slices.Compact(words)
	switch {
	case len(r.Key) != ed25519.PublicKeySize:
		return Receipt{}, malformedReceipt("its key is not an Ed25519 key")
	case r.Party != string(PeerRouter) && r.Party != string(PeerRelay):
		return Receipt{}, malformedReceipt("its party must be router or relay")
	case r.Party == string(PeerRouter) && RouterIDOf(r.Key) != r.Router:
		return Receipt{}, malformedReceipt("its key is not the key of the router that it names")
	case r.At.Unix() < 0 || r.At.Unix() > maxGrantUnix:
		return Receipt{}, malformedReceipt("its time must be between the years 1970 and 9999")
	case len(r.Erased) > MaxErased || slices.ContainsFunc(r.Erased, func(w string) bool { return !wire.ValidServiceName(w) }):
		return Receipt{}, malformedReceipt("it must list at most %d words of small letters, digits and '-'", MaxErased)
	}
	return r, nil
}

// signed returns what the signature covers; see the package documentation. A
// length before each text keeps two receipts from having the same bytes.
func (r Receipt) signed() []byte {
	b := append([]byte(labelReceipt), 0)
	b = appendField(b, []byte(r.Party))
	b = appendField(b, r.Device[:])
	b = appendField(b, r.Router[:])
	b = appendField(b, binary.BigEndian.AppendUint64(nil, uint64(r.At.Unix())))
	for _, word := range r.Erased {
		b = appendField(b, []byte(word))
	}
	return b
}

func appendField(b, field []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(field))), field...)
}

func malformedReceipt(format string, args ...any) error {
	return fmt.Errorf("%w (%s)", ErrReceiptMalformed, fmt.Sprintf(format, args...))
}

// plainReceipt is a Receipt without its methods.
type plainReceipt Receipt

// receiptJSON adds the fields that JSON would write otherwise.
type receiptJSON struct {
	plainReceipt
	KeyText       string `json:"key"`
	SignatureText string `json:"signature"`
}

// MarshalJSON implements [json.Marshaler].
func (r Receipt) MarshalJSON() ([]byte, error) {
	r.At = r.At.UTC()
	return json.Marshal(receiptJSON{plainReceipt(r), encodeParam(r.Key), encodeParam(r.Signature)})
}

// UnmarshalJSON implements [json.Unmarshaler]. What it reads is not yet
// checked: [Receipt.Verify] does that. On error r is left as it was.
func (r *Receipt) UnmarshalJSON(data []byte) error {
	var in receiptJSON
	if json.Unmarshal(data, &in) != nil {
		return malformedReceipt("it is not a receipt in JSON")
	}
	key, keyErr := base64.RawURLEncoding.Strict().DecodeString(in.KeyText)
	signature, err := base64.RawURLEncoding.Strict().DecodeString(in.SignatureText)
	if keyErr != nil || err != nil {
		return malformedReceipt("its key or its signature is not base64url")
	}
	in.Key, in.Signature = key, signature
	*r = Receipt(in.plainReceipt)
	return nil
}
