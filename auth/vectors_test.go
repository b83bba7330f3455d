package auth

import (
	"bytes"
	"crypto/ed25519"
	"embed"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// The vectors were written by an independent program in another language.
//
//go:embed testdata/*.json
var vectors embed.FS

type idVector struct {
	Name         string
	PublicKey    hexBytes `json:"public_key"`
	RouterID     hexBytes `json:"router_id"`
	RouterText   string   `json:"router_text"`
	DeviceID     hexBytes `json:"device_id"`
	DeviceText   string   `json:"device_text"`
	PEM          string
	AccountNonce string `json:"account_nonce"`
}

type grantVector struct {
	Name       string
	RouterSeed hexBytes `json:"router_seed"`
	Device     hexBytes `json:"device_public_key"`
	Nonce      hexBytes
	Serial     uint64 `json:",string"`
	Role       Role
	Services   []string
	NotBefore  int64 `json:"not_before"`
	NotAfter   int64 `json:"not_after"`
	Policy     string
	Accepted   hexBytes
	Wire       hexBytes
	File       string
}

func (v grantVector) grant() Grant {
	g := Grant{
		Device: ed25519.PublicKey(v.Device), Role: v.Role, Services: v.Services,
		NotBefore: time.Unix(v.NotBefore, 0).UTC(), NotAfter: time.Unix(v.NotAfter, 0).UTC(), Serial: v.Serial,
	}
	if v.Policy == "" {
		return g
	}
	policy, err := ecv.ParsePolicy(v.Policy)
	if err != nil {
		panic(err)
	}
	g.Policy = &policy
	if g.Accepted, err = ecv.ParseAccepted(v.Accepted); err != nil {
		panic(err)
	}
	return g
}

type uriVectors struct {
	RelayURLs   []uriVector `json:"relay_urls"`
	PairingURIs []uriVector `json:"pairing_uris"`
}

type uriVector struct {
	Name, Text, Host   string
	Pin, Token, Secret hexBytes
	RouterID           hexBytes `json:"router_id"`
}

func (v uriVector) relayURL() (r RelayURL) {
	r.Host = v.Host
	copy(r.Pin[:], v.Pin)
	copy(r.Token[:], v.Token)
	return r
}

func (v uriVector) pairingURI() (p PairingURI) {
	p.Relay = v.relayURL()
	copy(p.Router[:], v.RouterID)
	copy(p.Secret[:], v.Secret)
	return p
}

type pairingVector struct {
	OneTimeSecret hexBytes `json:"one_time_secret"`
	Binding       hexBytes
	Exported      hexBytes
	Device        hexBytes `json:"device_public_key"`
	RouterID      hexBytes `json:"router_id"`
	Proof         hexBytes
	PairingSecret hexBytes `json:"pairing_secret"`
	InvitationID  hexBytes `json:"invitation_id"`
}

type receiptVector struct {
	Name    string
	Seed    hexBytes // of the party's key
	Signed  hexBytes // what the signature covers
	Receipt json.RawMessage
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// readVectors decodes one file and refuses fields that no test looks at.
func readVectors[T any](tb testing.TB, file string) (v T) {
	tb.Helper()
	data, err := vectors.ReadFile("testdata/" + file)
	if err != nil {
		tb.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		tb.Fatalf("%s: %v", file, err)
	}
	return v
}

func idVectors(tb testing.TB) []idVector {
	return notEmpty(tb, readVectors[[]idVector](tb, "ids.json"))
}

func grantVectors(tb testing.TB) []grantVector {
	return notEmpty(tb, readVectors[[]grantVector](tb, "grants.json"))
}

// environmentVector is the vector with a policy and accepted environments.
func environmentVector(tb testing.TB) grantVector {
	tb.Helper()
	for _, v := range grantVectors(tb) {
		if len(v.Accepted) > 0 {
			return v
		}
	}
	tb.Fatal("no grant accepts environments")
	return grantVector{}
}

func notEmpty[T any](tb testing.TB, all []T) []T {
	tb.Helper()
	if len(all) == 0 {
		tb.Fatal("there are no vectors")
	}
	return all
}

// identityOf returns the identity whose seed is 32 bytes of b.
func identityOf(tb testing.TB, b byte) *Identity {
	tb.Helper()
	id, err := NewIdentity(bytes.NewReader(bytes.Repeat([]byte{b}, ed25519.SeedSize)))
	if err != nil {
		tb.Fatal(err)
	}
	return id
}
