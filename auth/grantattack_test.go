package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// forge makes a certificate that is right but for what change does to it, and
// signs it with key, which need not be the router's. Unlike
// ssh.Certificate.SignCert it signs anything.
func forge(t testing.TB, key ed25519.PrivateKey, change func(*ssh.Certificate)) []byte {
	t.Helper()
	return forgeGrant(t, grantVectors(t)[0].grant(), key, change)
}

// forgeGrant is forge with another grant to begin with.
func forgeGrant(t testing.TB, g Grant, key ed25519.PrivateKey, change func(*ssh.Certificate)) []byte {
	t.Helper()
	cert, err := unsignedCertificate(g)
	if err != nil {
		t.Fatal(err)
	}
	cert.Nonce = make([]byte, grantNonceSize)
	cert.SignatureKey = sshKey(t, key.Public())
	change(cert)
	return appendSignature(bytes.Clone(unsignedBytes(cert)), key)
}

// unsignedBytes returns what a certificate's signature covers.
func unsignedBytes(cert *ssh.Certificate) []byte {
	c := *cert
	c.Signature = nil
	b := c.Marshal()
	return b[:len(b)-4] // without the length of the absent signature
}

func appendSignature(body []byte, key ed25519.PrivateKey) []byte {
	return appendString(body, ssh.Marshal(&ssh.Signature{Format: ssh.KeyAlgoED25519, Blob: ed25519.Sign(key, body)}))
}

func appendString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

func sshKey(t testing.TB, key crypto.PublicKey) ssh.PublicKey {
	t.Helper()
	k, err := ssh.NewPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// verifyVector0 verifies raw as the first vector would be.
func verifyVector0(t testing.TB, raw []byte) error {
	t.Helper()
	return verifyAs(t, grantVectors(t)[0], raw)
}

// verifyAs verifies raw as v's grant would be.
func verifyAs(t testing.TB, v grantVector, raw []byte) error {
	t.Helper()
	g, err := Verify(raw, identityOf(t, 1).RouterID(), ed25519.PublicKey(v.Device), v.grant().NotBefore)
	if err != nil && g.Device != nil {
		t.Error("Verify returned a grant beside an error")
	}
	return err
}

func TestForgeIsRightWithoutChange(t *testing.T) {
	if err := verifyVector0(t, forge(t, identityOf(t, 1).key, func(*ssh.Certificate) {})); err != nil {
		t.Fatalf("the attacks below would be refused for the wrong reason: %v", err)
	}
}

func TestVerifyRefusesForgedContent(t *testing.T) {
	const ext = "permit-pty"
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	services := func(s string) func(*ssh.Certificate) {
		return func(c *ssh.Certificate) { c.CriticalOptions[optionServices] = s }
	}
	principals := func(p ...string) func(*ssh.Certificate) {
		return func(c *ssh.Certificate) { c.ValidPrincipals = p }
	}
	for _, c := range []struct {
		name   string
		change func(*ssh.Certificate)
		want   error
	}{
		{"host certificate", func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, ErrGrantMalformed},
		{"unknown type", func(c *ssh.Certificate) { c.CertType = 3 }, ErrGrantMalformed},
		{"short nonce", func(c *ssh.Certificate) { c.Nonce = c.Nonce[1:] }, ErrGrantMalformed},
		{"long nonce", func(c *ssh.Certificate) { c.Nonce = append(c.Nonce, 0) }, ErrGrantMalformed},
		{"reserved field in use", func(c *ssh.Certificate) { c.Reserved = []byte{1} }, ErrGrantMalformed},
		{"name in the key ID", func(c *ssh.Certificate) { c.KeyId = "Ada's phone" }, ErrGrantMalformed},
		{"empty key ID", func(c *ssh.Certificate) { c.KeyId = "" }, ErrGrantMalformed},
		{"larger than allowed", func(c *ssh.Certificate) { c.KeyId = strings.Repeat("x", MaxGrantSize) }, ErrGrantMalformed},
		{"no principal", principals(), ErrGrantRole},
		{"two principals", principals("owner", "guest"), ErrGrantRole},
		{"same principal twice", principals("owner", "owner"), ErrGrantRole},
		{"empty principal", principals(""), ErrGrantRole},
		{"unknown principal", principals("root"), ErrGrantRole},
		{"two roles in one principal", principals("owner,guest"), ErrGrantRole},
		{"no critical option", func(c *ssh.Certificate) { c.CriticalOptions = nil }, ErrGrantServices},
		{"empty services", services(""), ErrGrantServices},
		{"trailing comma", services("http,"), ErrGrantServices},
		{"space in services", services("http, ssh"), ErrGrantServices},
		{"all and one", services("*,http"), ErrGrantServices},
		{"unsorted services", services("ssh,http"), ErrGrantMalformed},
		{"repeated service", services("http,http"), ErrGrantMalformed},
		{"repeated all", services("*,*"), ErrGrantMalformed},
		{"unknown critical option", func(c *ssh.Certificate) { c.CriticalOptions["environment@lethe"] = "x" }, ErrGrantUnknownCritical},
		{"unknown empty critical option", func(c *ssh.Certificate) { c.CriticalOptions["verify-required"] = "" }, ErrGrantUnknownCritical},
		{"only an unknown critical option", func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"Services@lethe": "*"} }, ErrGrantUnknownCritical},
		{"extension", func(c *ssh.Certificate) { c.Extensions = map[string]string{ext: ""} }, ErrGrantExtension},
		{"services as an extension", func(c *ssh.Certificate) {
			c.CriticalOptions, c.Extensions = nil, map[string]string{optionServices: "*"}
		}, ErrGrantExtension},
		{"expired", func(c *ssh.Certificate) { c.ValidAfter, c.ValidBefore = 1, 2 }, ErrGrantExpired},
		{"not yet valid", func(c *ssh.Certificate) { c.ValidAfter = c.ValidBefore - 1 }, ErrGrantNotYetValid},
		{"never valid", func(c *ssh.Certificate) { c.ValidAfter = c.ValidBefore }, ErrGrantValidity},
		{"for ever", func(c *ssh.Certificate) { c.ValidBefore = ssh.CertTimeInfinity }, ErrGrantValidity},
		{"times that are negative as int64", func(c *ssh.Certificate) { c.ValidAfter = 1 << 63 }, ErrGrantValidity},
		{"times that overflow time.Time", func(c *ssh.Certificate) { c.ValidAfter = 1<<63 - 1 }, ErrGrantValidity},
		{"another device", func(c *ssh.Certificate) {
			c.Key = sshKey(t, identityOf(t, 9).PublicKey())
			c.KeyId = identityOf(t, 9).DeviceID().Short()
		}, ErrGrantWrongDevice},
		{"another device under this one's key ID", func(c *ssh.Certificate) { c.Key = sshKey(t, identityOf(t, 9).PublicKey()) }, ErrGrantMalformed},
		{"RSA device", func(c *ssh.Certificate) { c.Key = sshKey(t, rsaKey.Public()) }, ErrGrantKeyType},
		{"ECDSA device", func(c *ssh.Certificate) { c.Key = sshKey(t, ecKey.Public()) }, ErrGrantKeyType},
		{"hardware device key", func(c *ssh.Certificate) { c.Key = hardwareKey(t, identityOf(t, 2).PublicKey()) }, ErrGrantKeyType},
		{"RSA router", func(c *ssh.Certificate) { c.SignatureKey = sshKey(t, rsaKey.Public()) }, ErrGrantKeyType},
		{"ECDSA router", func(c *ssh.Certificate) { c.SignatureKey = sshKey(t, ecKey.Public()) }, ErrGrantKeyType},
		{"hardware router key", func(c *ssh.Certificate) { c.SignatureKey = hardwareKey(t, identityOf(t, 1).PublicKey()) }, ErrGrantKeyType},
		{"certificate as signature key", func(c *ssh.Certificate) {
			nested := *c
			nested.Signature = &ssh.Signature{Format: ssh.KeyAlgoED25519, Blob: make([]byte, 64)}
			c.SignatureKey = &nested
		}, ErrGrantMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantRefusal(t, verifyVector0(t, forge(t, identityOf(t, 1).key, c.change)), c.want)
		})
	}
}

func wantRefusal(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func hardwareKey(t testing.TB, key ed25519.PublicKey) ssh.PublicKey {
	t.Helper()
	k, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Name        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, key, "ssh:"}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestVerifyRefusesTheRoutersKeyUnderAnothersSignature(t *testing.T) {
	raw := forge(t, identityOf(t, 6).key, func(c *ssh.Certificate) { c.SignatureKey = sshKey(t, identityOf(t, 1).PublicKey()) })
	wantRefusal(t, verifyVector0(t, raw), ErrGrantSignature)
	_, err := ParseGrant(raw)
	wantRefusal(t, err, ErrGrantSignature)
}

func TestVerifyRefusesAnotherRouter(t *testing.T) {
	raw := forge(t, identityOf(t, 6).key, func(*ssh.Certificate) {})
	wantRefusal(t, verifyVector0(t, raw), ErrGrantWrongRouter)
	if _, err := ParseGrant(raw); err != nil {
		t.Errorf("it is a good grant of the other router: %v", err)
	}
}

// The key's IDs as router and as device differ, so a device can't sign grants
// for itself.
func TestVerifyRefusesTheDeviceAsRouter(t *testing.T) {
	device := identityOf(t, 2)
	raw := forge(t, device.key, func(*ssh.Certificate) {})
	_, err := Verify(raw, RouterID(device.DeviceID()), device.PublicKey(), grantVectors(t)[0].grant().NotBefore)
	wantRefusal(t, err, ErrGrantWrongRouter)
}

func TestVerifyRefusesEveryFlippedBit(t *testing.T) {
	for _, v := range grantVectors(t) {
		router, device, now := identityOf(t, 1).RouterID(), ed25519.PublicKey(v.Device), v.grant().NotBefore
		for i := range len(v.Wire) * 8 {
			raw := bytes.Clone(v.Wire)
			raw[i/8] ^= 1 << (i % 8)
			if _, err := Verify(raw, router, device, now); err == nil {
				t.Errorf("%s: accepted with bit %d of byte %d flipped", v.Name, i%8, i/8)
			}
			if _, err := ParseGrant(raw); err == nil {
				t.Errorf("%s: parsed with bit %d of byte %d flipped", v.Name, i%8, i/8)
			}
		}
	}
}

func TestVerifyRefusesEveryPrefixAndExtension(t *testing.T) {
	for _, v := range grantVectors(t) {
		for n := range len(v.Wire) {
			if err := verifyAs(t, v, v.Wire[:n]); !errors.Is(err, ErrGrantMalformed) {
				t.Errorf("%s: %d of %d bytes: %v", v.Name, n, len(v.Wire), err)
			}
		}
		for _, tail := range []string{"\x00", "\x00\x00\x00\x00", string(v.Wire)} {
			wantRefusal(t, verifyAs(t, v, append(bytes.Clone(v.Wire), tail...)), ErrGrantMalformed)
		}
	}
}

// Encodings that mean the same and are signed by the right key.
func TestVerifyRefusesOtherEncodings(t *testing.T) {
	router := identityOf(t, 1)
	right := unsignedBytes(parsedVector0(t))
	wantRefusal(t, verifyVector0(t, appendSignature(bytes.Clone(right), router.key)), nil)

	emptyValue := appendString(appendString(nil, []byte("zzz")), appendString(nil, nil)) // should be "" and not string("")
	options := appendString(appendString(nil, []byte(optionServices)), appendString(nil, []byte("*")))
	for name, c := range map[string]struct{ old, new []byte }{
		"option with an empty string inside": {appendString(nil, options), appendString(nil, append(bytes.Clone(options), emptyValue...))},
		"same option twice":                  {appendString(nil, options), appendString(nil, append(bytes.Clone(options), options...))},
		"value without inner length":         {appendString(nil, options), appendString(nil, appendString(appendString(nil, []byte(optionServices)), []byte("*")))},
		"principals cut short":               {appendString(nil, appendString(nil, []byte("owner"))), appendString(nil, []byte("\x00\x00\x00\x06owner"))},
	} {
		if bytes.Count(right, c.old) != 1 {
			t.Fatalf("%s: the part to replace is not there once", name)
		}
		body := bytes.Replace(right, c.old, c.new, 1)
		if err := verifyVector0(t, appendSignature(body, router.key)); !errors.Is(err, ErrGrantMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyRefusesOtherSignatures(t *testing.T) {
	router := identityOf(t, 1)
	body := unsignedBytes(parsedVector0(t))
	good := ed25519.Sign(router.key, body)
	for name, sig := range map[string]ssh.Signature{
		"of other bytes":         {Format: ssh.KeyAlgoED25519, Blob: ed25519.Sign(router.key, body[1:])},
		"of a hash":              {Format: ssh.KeyAlgoED25519, Blob: ed25519.Sign(router.key, make([]byte, 32))},
		"empty":                  {Format: ssh.KeyAlgoED25519},
		"one byte short":         {Format: ssh.KeyAlgoED25519, Blob: good[:63]},
		"one byte long":          {Format: ssh.KeyAlgoED25519, Blob: append(bytes.Clone(good), 0)},
		"S plus the group order": {Format: ssh.KeyAlgoED25519, Blob: malleate(good)},
		"of another format":      {Format: ssh.KeyAlgoRSA, Blob: good},
		"of a hardware format":   {Format: ssh.KeyAlgoSKED25519, Blob: good, Rest: []byte{0, 0, 0, 0, 0}},
	} {
		raw := appendString(bytes.Clone(body), ssh.Marshal(&sig))
		if err := verifyVector0(t, raw); !errors.Is(err, ErrGrantSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tail := append(ssh.Marshal(&ssh.Signature{Format: ssh.KeyAlgoED25519, Blob: good}), 0)
	wantRefusal(t, verifyVector0(t, appendString(bytes.Clone(body), tail)), ErrGrantMalformed)
}

// malleate adds the group order to S, which a careless verifier accepts
// (RFC 8032 section 8.4).
func malleate(sig []byte) []byte {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	le := bytes.Clone(sig[32:])
	slices.Reverse(le)
	s := new(big.Int).Add(new(big.Int).SetBytes(le), order).FillBytes(make([]byte, 32))
	slices.Reverse(s)
	return append(bytes.Clone(sig[:32]), s...)
}

func parsedVector0(t testing.TB) *ssh.Certificate {
	t.Helper()
	key, err := ssh.ParsePublicKey(grantVectors(t)[0].Wire)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*ssh.Certificate)
}

func TestVerifyRefusesWhatIsNoCertificate(t *testing.T) {
	for name, raw := range map[string][]byte{
		"nothing": nil, "zeros": make([]byte, 500), "a plain key": sshKey(t, identityOf(t, 1).PublicKey()).Marshal(),
		"a name alone": appendString(nil, []byte(ssh.CertAlgoED25519v01)), "huge": make([]byte, 1<<20),
	} {
		if err := verifyVector0(t, raw); !errors.Is(err, ErrGrantMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyRefusesABadDeviceKey(t *testing.T) {
	v := grantVectors(t)[0]
	for _, key := range []ed25519.PublicKey{nil, ed25519.PublicKey(v.Device[:31]), append(bytes.Clone(v.Device), 0)} {
		_, err := Verify(v.Wire, identityOf(t, 1).RouterID(), key, time.Unix(v.NotBefore, 0))
		wantRefusal(t, err, ErrGrantWrongDevice)
	}
}

// Size is judged before anything is decoded.
func TestVerifyRefusesSizeFirst(t *testing.T) {
	err := verifyVector0(t, append(bytes.Clone(grantVectors(t)[0].Wire), make([]byte, MaxGrantSize)...))
	if !errors.Is(err, ErrGrantMalformed) || !strings.Contains(err.Error(), "larger than 4096 bytes") {
		t.Error(err)
	}
}

// What a stranger wrote into a grant does not flood an error message.
func TestUnknownOptionIsQuotedAndCut(t *testing.T) {
	raw := forge(t, identityOf(t, 1).key, func(c *ssh.Certificate) {
		c.CriticalOptions["\x1b[2J"+strings.Repeat("x", 1000)] = ""
	})
	err := verifyVector0(t, raw)
	wantRefusal(t, err, ErrGrantUnknownCritical)
	if text := err.Error(); len(text) > 250 || strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
}
