package auth

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// Threat: a stranger sends any bytes as a grant. There must be no panic, and
// whatever is accepted must be what Issue writes, bit for bit. A fuzzer can't
// forge signatures, so the target signs each input with the router's key and
// lets Verify judge the content alone.
func FuzzParseGrant(f *testing.F) {
	for _, v := range grantVectors(f) {
		f.Add([]byte(v.Wire))
		f.Add([]byte(v.Wire[:len(v.Wire)-signatureField]))
	}
	for _, change := range []func(*ssh.Certificate){
		func(c *ssh.Certificate) { c.CertType = ssh.HostCert },
		func(c *ssh.Certificate) { c.ValidPrincipals = []string{"owner", "guest"} },
		func(c *ssh.Certificate) { c.CriticalOptions["zzz"] = "x" },
		func(c *ssh.Certificate) { c.Extensions = map[string]string{"permit-pty": ""} },
		func(c *ssh.Certificate) { c.Reserved = []byte{1} },
	} {
		raw := forge(f, identityOf(f, 1).key, change)
		f.Add(raw[:len(raw)-signatureField])
	}
	for _, change := range []func(*ssh.Certificate){
		func(c *ssh.Certificate) { delete(c.CriticalOptions, optionPolicy) },
		func(c *ssh.Certificate) { c.CriticalOptions[optionPolicy] += " " },
		func(c *ssh.Certificate) { c.CriticalOptions[optionAccepted] = "" },
		func(c *ssh.Certificate) { c.CriticalOptions[optionAccepted] += c.CriticalOptions[optionAccepted] },
	} {
		raw := forgeGrant(f, environmentVector(f).grant(), identityOf(f, 1).key, change)
		f.Add(raw[:len(raw)-signatureField])
	}
	router := identityOf(f, 1)
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, raw := range [][]byte{in, appendSignature(bytes.Clone(in), router.key)} {
			signed, err := ParseGrant(raw)
			if err != nil {
				oneGrantReason(t, err)
				continue
			}
			checkAccepted(t, router, raw, signed)
		}
	})
}

// signatureField is the size of a grant's last field: three lengths, the
// algorithm's name and 64 bytes.
const signatureField = 4 + 4 + len(ssh.KeyAlgoED25519) + 4 + ed25519.SignatureSize

func checkAccepted(t *testing.T, router *Identity, raw []byte, signed *SignedGrant) {
	t.Helper()
	g := signed.Grant
	verified, err := Verify(raw, signed.Router, g.Device, g.NotBefore)
	if err != nil || verified.Serial != g.Serial {
		t.Fatalf("ParseGrant accepts what Verify refuses: %v", err)
	}
	if _, err := Verify(raw, signed.Router, g.Device, g.NotAfter); !errors.Is(err, ErrGrantExpired) {
		t.Fatalf("it is valid at its end: %v", err)
	}
	if signed.Router != router.RouterID() {
		return // a seed of another router, which can't be issued again
	}
	key, err := ssh.ParsePublicKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Issue(router, g, bytes.NewReader(key.(*ssh.Certificate).Nonce))
	if err != nil || !bytes.Equal(again, raw) {
		t.Fatalf("Issue writes %x for accepted %x, %v", again, raw, err)
	}
	if back, err := ParseGrantFile(GrantFile(raw)); err != nil || !bytes.Equal(back, raw) {
		t.Fatalf("the file form loses it: %v", err)
	}
}

func oneGrantReason(t *testing.T, err error) {
	t.Helper()
	n := 0
	for _, reason := range []error{
		ErrGrantMalformed, ErrGrantKeyType, ErrGrantSignature, ErrGrantValidity, ErrGrantRole,
		ErrGrantServices, ErrGrantPolicy, ErrGrantUnknownCritical, ErrGrantExtension,
	} {
		if errors.Is(err, reason) {
			n++
		}
	}
	if n != 1 {
		t.Fatalf("%d reasons in %v", n, err)
	}
}

// Threat: a damaged or planted grant file. What is read must be what would be
// written again.
func FuzzParseGrantFile(f *testing.F) {
	for _, v := range grantVectors(f) {
		f.Add([]byte(v.File))
		f.Add([]byte("  " + v.File[:len(v.File)-1] + " comment\r\n"))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		raw, err := ParseGrantFile(in)
		if err != nil {
			return
		}
		if again, err := ParseGrantFile(GrantFile(raw)); err != nil || !bytes.Equal(raw, again) {
			t.Fatalf("%q is read as %x, then as %x, %v", in, raw, again, err)
		}
	})
}

// Threat: any text is pasted. What is read, printed and read again is the same.
func FuzzParseRelayURL(f *testing.F) {
	for _, v := range notEmpty(f, readVectors[uriVectors](f, "uris.json").RelayURLs) {
		f.Add(v.Text)
	}
	f.Add("LETHE://[::FFFF:1.2.3.4]/?token=" + testToken + "&pin=" + testPin)
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ParseRelayURL(in)
		if err != nil {
			return
		}
		again, err := ParseRelayURL(got.String())
		if err != nil || again != got || again.String() != got.String() {
			t.Fatalf("%q is read as %+v, then as %+v, %v", in, got, again, err)
		}
	})
}

// Threat: a QR code of a stranger. What is read, printed and read again is the
// same, and is never a relay URL too.
func FuzzParsePairingURI(f *testing.F) {
	for _, v := range notEmpty(f, readVectors[uriVectors](f, "uris.json").PairingURIs) {
		f.Add(v.Text)
	}
	f.Add("lethe://h/pair?secret=" + testSecret + "&router=" + testRouter)
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ParsePairingURI(in)
		if err != nil {
			return
		}
		again, err := ParsePairingURI(got.String())
		if err != nil || again != got || again.String() != got.String() {
			t.Fatalf("%q is read as %+v, then as %+v, %v", in, got, again, err)
		}
		if _, err := ParseRelayURL(in); !errors.Is(err, ErrGotPairingURI) {
			t.Fatalf("%q is a relay URL, too: %v", in, err)
		}
	})
}

// Threat: an ID that was read out over the telephone. What is read, printed
// and read again is the same, and no text is the ID of both kinds.
func FuzzParseRouterID(f *testing.F) {
	for _, v := range idVectors(f) {
		f.Add(v.RouterText)
		f.Add(v.DeviceText)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ParseRouterID(in)
		if err != nil {
			return
		}
		if again, err := ParseRouterID(got.String()); err != nil || again != got {
			t.Fatalf("%q is read as %v, then as %v, %v", in, got, again, err)
		}
		if _, err := ParseDeviceID(in); !errors.Is(err, ErrIDKind) {
			t.Fatalf("%q is a device's ID, too: %v", in, err)
		}
	})
}

// Threat: a damaged key file. There is no panic, and what is read works: it
// signs, and is written back as the same key.
func FuzzParseIdentity(f *testing.F) {
	for _, v := range idVectors(f) {
		f.Add([]byte(v.PEM))
	}
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		id, err := ParseIdentity(in)
		if err != nil {
			if id != nil || !errors.Is(err, ErrIdentity) {
				t.Fatalf("%v, %v", id, err)
			}
			return
		}
		text, err := id.MarshalPEM()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseIdentity(text); err != nil || !again.key.Equal(id.key) {
			t.Fatalf("the key changes when written: %v", err)
		}
		if _, err := id.Certificate(time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	})
}

// Threat: a relay sends any JSON as a receipt. There is no panic, and what
// verifies is written and read again as the same, by the key that it names.
func FuzzReceipt(f *testing.F) {
	for _, v := range receiptVectors(f) {
		f.Add([]byte(v.Receipt))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var r, again Receipt
		if json.Unmarshal(in, &r) != nil || r.Verify(r.Key) != nil {
			return
		}
		text, err := json.Marshal(r)
		if err == nil {
			err = json.Unmarshal(text, &again)
		}
		if err != nil || again.Verify(r.Key) != nil || !bytes.Equal(again.signed(), r.signed()) {
			t.Fatalf("%s is read as %+v, then as %+v, %v", in, r, again, err)
		}
	})
}
