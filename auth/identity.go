package auth

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"time"
)

const (
	identityPEMType = "PRIVATE KEY" // RFC 5958, RFC 7468 section 10
	maxIdentitySize = 4096          // bytes; ours has 119

	// A peer looks at the key only. These times are for software in between
	// that insists on plausible ones: a clock two days off is still inside,
	// and no process lives long enough to see the end.
	certificateSlack    = 48 * time.Hour
	certificateLifetime = 10 * 365 * 24 * time.Hour
)

// Identity is the Ed25519 private key of a router, a device or a relay.
// It is immutable and safe for concurrent use.
type Identity struct {
	key ed25519.PrivateKey
}

// NewIdentity makes an identity from 32 bytes of rand, which must be
// [crypto/rand.Reader] outside tests.
func NewIdentity(rand io.Reader) (*Identity, error) {
	_, key, err := ed25519.GenerateKey(rand)
	if err != nil {
		return nil, fmt.Errorf("make an identity: %w", err)
	}
	return &Identity{key}, nil
}

// ParseIdentity reads what [Identity.MarshalPEM] or `openssl genpkey
// -algorithm ed25519` wrote. Its errors wrap [ErrIdentity], say what is wrong
// with the file and never hold any of its bytes.
func ParseIdentity(data []byte) (*Identity, error) {
	der, err := decodeIdentityPEM(data)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, badIdentity("its PKCS#8 content is damaged; restore it from a backup")
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, badIdentity("its key is not an Ed25519 key; it belongs to another program")
	}
	return &Identity{key}, nil
}

func decodeIdentityPEM(data []byte) ([]byte, error) {
	if len(data) > maxIdentitySize {
		return nil, badIdentity("it is too large to be one key; it belongs to another program")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, badIdentity("it is empty; restore it from a backup")
	}
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return nil, badIdentity("it holds no complete PEM block; restore it from a backup")
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, badIdentity("it is encrypted; decrypt it with `openssl pkey`")
	case block.Type != identityPEMType:
		return nil, badIdentity(`its PEM block is not a "PRIVATE KEY" in PKCS#8`)
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, badIdentity("something follows its PEM block; it must hold one key and nothing else")
	}
	return block.Bytes, nil
}

func badIdentity(why string) error { return fmt.Errorf("%w: %s", ErrIdentity, why) }

// MarshalPEM returns the private key in PKCS#8 PEM. The caller writes it to a
// file that only its owner can read.
func (id *Identity) MarshalPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		return nil, fmt.Errorf("encode the identity: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: identityPEMType, Bytes: der}), nil
}

// PublicKey returns a copy of the public key.
func (id *Identity) PublicKey() ed25519.PublicKey {
	return bytes.Clone(id.key.Public().(ed25519.PublicKey))
}

// RouterID returns the ID that the key has as a router.
func (id *Identity) RouterID() RouterID { return RouterIDOf(id.PublicKey()) }

// DeviceID returns the ID that the key has as a device.
func (id *Identity) DeviceID() DeviceID { return DeviceIDOf(id.PublicKey()) }

// Certificate returns a self-signed certificate for TLS servers and clients.
// The key is all that it says: every identity has the same names and serial
// number, and the times are those of the UTC day that now is in, so that they
// do not tell when the program started.
func (id *Identity) Certificate(now time.Time) (tls.Certificate, error) {
	day := now.UTC().Truncate(24 * time.Hour)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "lethe"},
		NotBefore:             day.Add(-certificateSlack),
		NotAfter:              day.Add(certificateLifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	// No source of randomness: Ed25519 signatures need none (RFC 8032 section 5.1.6).
	der, err := x509.CreateCertificate(nil, template, template, id.key.Public(), id.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read back the certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: id.key, Leaf: leaf}, nil
}

// Format implements [fmt.Formatter], so that no verb prints the private key.
func (id Identity) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "auth.Identity(private)")
}
