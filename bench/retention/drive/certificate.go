package drive

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

// The files that a relay reads its certificate from, beside its configuration.
const (
	certificateFile = "audit-cert.pem"
	certKeyFile     = "audit-key.pem"
)

// authority renews the certificate of a relay as an ACME client would: another
// certificate for the same key, in the same file.
type authority struct {
	dir    string
	host   netip.Addr
	key    ed25519.PrivateKey
	serial int64
}

// newAuthority writes a key and a first certificate.
func newAuthority(dir string, host netip.Addr) (*authority, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &authority{dir: dir, host: host, key: key}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return a, errors.Join(a.write(certKeyFile, "PRIVATE KEY", raw), a.renew())
}

// renew writes the next certificate.
func (a *authority) renew() error {
	raw, err := a.issue()
	if err != nil {
		return err
	}
	return a.write(certificateFile, "CERTIFICATE", raw)
}

func (a *authority) issue() ([]byte, error) {
	a.serial++
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(grantTime),
		IPAddresses: []net.IP{a.host.AsSlice()}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	return x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
}

// write puts a file in the place of the one before, as a whole.
func (a *authority) write(name, kind string, raw []byte) error {
	path := filepath.Join(a.dir, name)
	data := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw})
	return errors.Join(os.WriteFile(path+".new", data, 0o600), os.Rename(path+".new", path))
}

// pin is what clients recognise all of its certificates by.
func (a *authority) pin() (auth.RelayPin, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(a.dir, certificateFile), filepath.Join(a.dir, certKeyFile))
	if err != nil {
		return auth.RelayPin{}, err
	}
	return auth.RelayPinOf(pair.Leaf), nil
}
