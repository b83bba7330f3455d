package auth

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

const (
	idSize      = sha256.Size
	idCheckSize = 3 // a typing error goes unseen once in 2^24
	idChars     = (idSize + idCheckSize) * 8 / 5
	idGroup     = 7 // eight groups; with dashes 63 characters, which is one DNS label
)

// RouterID names a router: a hash of its Ed25519 public key. Whoever holds the
// key can prove the name, and nobody has to hand it out.
type RouterID [idSize]byte

// DeviceID names a device: a hash of its Ed25519 public key.
type DeviceID [idSize]byte

// RouterIDOf returns the ID of the router that holds key.
func RouterIDOf(key ed25519.PublicKey) RouterID { return routerKind.hash(key) }

// DeviceIDOf returns the ID of the device that holds key. It differs from the
// RouterID of the same key.
func DeviceIDOf(key ed25519.PublicKey) DeviceID { return deviceKind.hash(key) }

// ParseRouterID reads what [RouterID.String] printed and a person may have
// typed. It accepts either case, missing dashes and added white space, and
// reads 0 as o, 1 as l and 8 as b, which an ID has no digits for. Its errors
// wrap [ErrIDLength], [ErrIDCharacter], [ErrIDTypo] or [ErrIDKind].
func ParseRouterID(s string) (RouterID, error) { return routerKind.parse(s) }

// ParseDeviceID is [ParseRouterID] for devices.
func ParseDeviceID(s string) (DeviceID, error) { return deviceKind.parse(s) }

// String returns the 63 characters that people and files see.
func (id RouterID) String() string { return routerKind.print(id) }

// String returns the 63 characters that people and files see.
func (id DeviceID) String() string { return deviceKind.print(id) }

// Short returns the first group of [RouterID.String], 35 bits: enough to tell
// one's own routers apart, not enough to trust.
func (id RouterID) Short() string { return id.String()[:idGroup] }

// Short returns the first group of [DeviceID.String], 35 bits: enough to tell
// one's own devices apart, not enough to trust.
func (id DeviceID) Short() string { return id.String()[:idGroup] }

// MarshalText implements [encoding.TextMarshaler].
func (id RouterID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText implements [encoding.TextMarshaler].
func (id DeviceID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] with [ParseRouterID].
// On error id is left as it was.
func (id *RouterID) UnmarshalText(text []byte) error {
	parsed, err := ParseRouterID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// UnmarshalText implements [encoding.TextUnmarshaler] with [ParseDeviceID].
// On error id is left as it was.
func (id *DeviceID) UnmarshalText(text []byte) error {
	parsed, err := ParseDeviceID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// idKind is what makes the two kinds of ID differ.
type idKind struct {
	noun       string // for errors
	hashLabel  string // separates the hashes of one key
	checkLabel string // separates the check characters, so that a mixed-up kind is seen
}

var (
	routerKind = idKind{"router", "lethe router id v1", "lethe router id check v1"}
	deviceKind = idKind{"device", "lethe device id v1", "lethe device id check v1"}
	idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
)

func (k idKind) hash(key ed25519.PublicKey) [idSize]byte {
	return labelled(k.hashLabel, key)
}

func (k idKind) check(id []byte) string {
	sum := labelled(k.checkLabel, id)
	return string(sum[:idCheckSize])
}

// labelled hashes label ‖ 0x00 ‖ data. No label holds a zero byte.
func labelled(label string, data []byte) [sha256.Size]byte {
	return sha256.Sum256(append(append([]byte(label), 0), data...))
}

func (k idKind) print(id [idSize]byte) string {
	chars := idEncoding.EncodeToString(append(id[:], k.check(id[:])...))
	groups := make([]string, 0, idChars/idGroup)
	for ; chars != ""; chars = chars[idGroup:] {
		groups = append(groups, chars[:idGroup])
	}
	return strings.Join(groups, "-")
}

func (k idKind) parse(s string) (id [idSize]byte, err error) {
	chars := strings.Map(readIDChar, s)
	if len(chars) != idChars {
		return id, fmt.Errorf("%w: a %s ID has %d characters besides the dashes, this one %d; copy it whole",
			ErrIDLength, k.noun, idChars, len(chars))
	}
	b, err := idEncoding.DecodeString(chars)
	if err != nil {
		return id, fmt.Errorf("%w: it is written with the letters a to z and the digits 2 to 7", ErrIDCharacter)
	}
	body, check := b[:idSize], string(b[idSize:])
	switch other := k.other(); check {
	case k.check(body):
		return [idSize]byte(body), nil
	case other.check(body):
		return id, fmt.Errorf("%w: it names a %s, and a %s is wanted here", ErrIDKind, other.noun, k.noun)
	default:
		return id, fmt.Errorf("%w: its check characters don't match; compare it with the original", ErrIDTypo)
	}
}

func (k idKind) other() idKind {
	if k == routerKind {
		return deviceKind
	}
	return routerKind
}

// readIDChar drops what people add and mends what they misread. The digit 1
// could also be an i; in the small letters that we print it looks like an l,
// and the check characters catch the rest.
func readIDChar(r rune) rune {
	switch {
	case r == '-' || r == ' ' || r == '\t' || r == '\r' || r == '\n':
		return -1
	case r == '0':
		return 'o'
	case r == '1':
		return 'l'
	case r == '8':
		return 'b'
	case 'A' <= r && r <= 'Z':
		return r - 'A' + 'a'
	case r >= 0x80:
		return '?' // one byte per character, so that the length in an error is what a person counts
	}
	return r
}
