package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestIdentityVectors(t *testing.T) {
	for _, v := range idVectors(t) {
		id, err := ParseIdentity([]byte(v.PEM))
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if !bytes.Equal(id.PublicKey(), v.PublicKey) || id.RouterID().String() != v.RouterText || id.DeviceID().String() != v.DeviceText {
			t.Errorf("%s: key %x, %v, %v", v.Name, id.PublicKey(), id.RouterID(), id.DeviceID())
		}
		if text, err := id.MarshalPEM(); err != nil || string(text) != v.PEM {
			t.Errorf("%s: MarshalPEM %q, %v", v.Name, text, err)
		}
	}
}

func TestNewIdentityNeedsRandomness(t *testing.T) {
	if _, err := NewIdentity(strings.NewReader("too short")); err == nil {
		t.Error("an identity was made of 9 bytes")
	}
}

func TestPublicKeyIsACopy(t *testing.T) {
	id := identityOf(t, 1)
	before := id.RouterID()
	clear(id.PublicKey())
	if id.RouterID() != before {
		t.Error("writing to PublicKey changed the identity")
	}
}

func TestParseIdentityRefuses(t *testing.T) {
	good, err := identityOf(t, 7).MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecDER, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for _, c := range []struct{ name, file, says string }{
		{"empty", "", "it is empty"},
		{"blank", " \n", "it is empty"},
		{"cut short", string(good[:len(good)/2]), "no complete PEM block"},
		{"not PEM", "hello", "no complete PEM block"},
		{"public key", block("PUBLIC KEY", nil), `not a "PRIVATE KEY"`},
		{"encrypted", block("ENCRYPTED PRIVATE KEY", nil), "it is encrypted"},
		{"OpenSSH's form", block("OPENSSH PRIVATE KEY", nil), `not a "PRIVATE KEY"`},
		{"two keys", string(good) + string(good), "something follows"},
		{"damaged", block("PRIVATE KEY", []byte{0x30, 1, 2}), "damaged"},
		{"ECDSA", block("PRIVATE KEY", ecDER), "not an Ed25519 key"},
		{"huge", strings.Repeat("x", maxIdentitySize+1), "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, err := ParseIdentity([]byte(c.file))
			if !errors.Is(err, ErrIdentity) || !strings.Contains(err.Error(), c.says) || id != nil {
				t.Errorf("got %v; want %q", err, c.says)
			}
		})
	}
}

// Nothing that fmt or encoding/json can do shows the private key, nor does a
// parse error of a file with one flipped bit.
func TestIdentityNeverPrintsItsKey(t *testing.T) {
	id := identityOf(t, 'K')
	seed := id.key.Seed()
	secrets := []string{string(seed), hex.EncodeToString(seed), base64.StdEncoding.EncodeToString(seed), "75 75 75", "4b, 0x4b", "KKKK"}
	check := func(where, text string) {
		t.Helper()
		for _, s := range secrets {
			if strings.Contains(strings.ToLower(text), strings.ToLower(s)) {
				t.Errorf("%s shows the key: %s", where, text)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "% x", "%d", "%q"} {
		check(verb, fmt.Sprintf(verb, id))
		check(verb+" of the value", fmt.Sprintf(verb, *id))
		check(verb+" in a struct", fmt.Sprintf(verb, struct{ ID *Identity }{id})+fmt.Sprintf(verb, []any{id, *id}))
	}
	text, _ := json.Marshal([]any{id, *id})
	check("JSON", string(text))
	file, err := id.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(file) * 8 {
		bad := bytes.Clone(file)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := ParseIdentity(bad); err != nil {
			check(fmt.Sprintf("the error for bit %d", i), err.Error())
		}
	}
}

func TestCertificate(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	one, two := identityOf(t, 1), identityOf(t, 2)
	c1, err := one.Certificate(now)
	if err != nil {
		t.Fatal(err)
	}
	c2, err := two.Certificate(now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := c1.Leaf.CheckSignature(x509.PureEd25519, c1.Leaf.RawTBSCertificate, c1.Leaf.Signature); err != nil {
		t.Error(err)
	}
	if !one.PublicKey().Equal(c1.Leaf.PublicKey.(ed25519.PublicKey)) || !bytes.Equal(c1.Leaf.Raw, c1.Certificate[0]) {
		t.Error("the certificate is not for the identity's key")
	}
	for _, skew := range []time.Duration{-47 * time.Hour, 47 * time.Hour, 9 * 365 * 24 * time.Hour} {
		if at := now.Add(skew); at.Before(c1.Leaf.NotBefore) || at.After(c1.Leaf.NotAfter) {
			t.Errorf("not valid for a clock that is %v off", skew)
		}
	}
	// All but the key is the same for everybody on one day.
	blank := func(c *x509.Certificate) string {
		s := bytes.ReplaceAll(c.RawTBSCertificate, c.PublicKey.(ed25519.PublicKey), nil)
		return string(s)
	}
	if blank(c1.Leaf) != blank(c2.Leaf) {
		t.Error("the certificates differ in more than their key")
	}
	if _, err := one.Certificate(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("a certificate was made that ends after the year 9999")
	}
}

func TestOpenSSLReadsAndWritesIdentities(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	file := filepath.Join(t.TempDir(), "identity.pem")
	id := identityOf(t, 3)
	text, err := id.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	der, err := exec.Command(openssl, "pkey", "-in", file, "-pubout", "-outform", "DER").Output()
	if err != nil || !bytes.HasSuffix(der, id.PublicKey()) {
		t.Errorf("openssl pkey reads %x, %v", der, err)
	}
	text, err = exec.Command(openssl, "genpkey", "-algorithm", "ed25519").Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseIdentity(text); err != nil {
		t.Errorf("the key of openssl genpkey: %v", err)
	}
}
