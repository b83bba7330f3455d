package relay

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/internal/wire"
)

// authority is a certificate authority, and the one certificate that it changes.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.cert, a.key = a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

func (a *authority) sign(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// issue writes a certificate for 127.0.0.1, as change wants it, and its key.
func (a *authority) issue(t *testing.T, cfg *Config, serial int64, change func(*x509.Certificate)) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(12 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	cert, key := a.sign(t, template)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, cfg.path(cfg.Certificate), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	writeFile(t, cfg.path(cfg.CertificateKey), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	os.Remove(path) // with the mode that it has
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// shown is the serial number of the certificate that a client gets that checks it
// by the authority.
func (a *authority) shown(t *testing.T, r running) int64 {
	t.Helper()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own, err := id.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := quic.DialAddr(ctx, r.Addr().String(), &tls.Config{
		NextProtos: []string{wire.ALPNControl}, Certificates: []tls.Certificate{own}, RootCAs: roots, ServerName: "127.0.0.1",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	return conn.ConnectionState().TLS.PeerCertificates[0].SerialNumber.Int64()
}

func withCertificate(t *testing.T) (*authority, *Config) {
	t.Helper()
	_, cfg := initRelay(t)
	cfg.Certificate, cfg.CertificateKey = "fullchain.pem", "privkey.pem"
	a := newAuthority(t)
	a.issue(t, cfg, 10, nil)
	return a, cfg
}

// TestReload: handshakes get the newest good certificate; what is wrong with a bad
// one is said as a code.
func TestReload(t *testing.T) {
	a, cfg := withCertificate(t)
	var log bytes.Buffer
	r := start(t, cfg, telemetry.New(slog.New(slog.NewTextHandler(&log, nil))))
	if !r.URL().Pin.IsZero() {
		t.Error("the URL has a pin, which the next certificate would break")
	}
	if got := a.shown(t, r); got != 10 {
		t.Errorf("clients get the certificate %d", got)
	}
	expires := r.metrics(t)["lethe_relay_certificate_expiry_timestamp_seconds"]
	if left := time.Until(time.Unix(int64(expires), 0)); left < 11*time.Hour || left > 13*time.Hour {
		t.Errorf("the metrics say that it expires in %v", left)
	}
	a.issue(t, cfg, 11, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(20 * time.Hour) })
	if got := a.shown(t, r); got != 10 {
		t.Error("a certificate is in use that nobody has told the relay of")
	}
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := a.shown(t, r); got != 11 || r.metrics(t)["lethe_relay_certificate_expiry_timestamp_seconds"] <= expires {
		t.Errorf("after a renewal clients get the certificate %d", got)
	}
	for code, spoil := range badCertificates(t, a, cfg) {
		a.issue(t, cfg, 12, nil)
		spoil()
		if err := r.Reload(); err == nil {
			t.Errorf("%s: taken", code)
		}
		if got := a.shown(t, r); got != 11 {
			t.Errorf("%s: clients get the certificate %d", code, got)
		}
	}
	r.stop()
	for code := range badCertificates(t, a, cfg) {
		if code, _, _ = strings.Cut(code, " "); !strings.Contains(log.String(), "why="+code) {
			t.Errorf("the log does not say %s:\n%s", code, log.String())
		}
	}
	if strings.Contains(log.String(), filepath.Base(cfg.Certificate)) {
		t.Error("the log names files")
	}
}

// badCertificates are ways to spoil what is in the files, by the code of each.
func badCertificates(t *testing.T, a *authority, cfg *Config) map[string]func() {
	return map[string]func(){
		"unreadable":                    func() { os.Remove(cfg.path(cfg.Certificate)) },
		"unreadable key":                func() { os.Chmod(cfg.path(cfg.CertificateKey), 0o644) },
		"malformed_or_no_pair":          func() { writeFile(t, cfg.path(cfg.Certificate), []byte("no PEM")) },
		"malformed_or_no_pair of a key": func() { writeFile(t, cfg.path(cfg.CertificateKey), otherKey(t)) },
		"malformed_or_no_pair of a client": func() {
			a.issue(t, cfg, 12, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
		},
		"expired_or_not_yet_valid": func() {
			a.issue(t, cfg, 12, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
		},
		"not_for_the_public_name": func() {
			a.issue(t, cfg, 12, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"relay.example.org"} })
		},
	}
}

func otherKey(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// TestBadCertificateAtStart: it is refused in one sentence, which may name files.
func TestBadCertificateAtStart(t *testing.T) {
	a, cfg := withCertificate(t)
	for code, spoil := range badCertificates(t, a, cfg) {
		a.issue(t, cfg, 12, nil)
		spoil()
		r, err := New(cfg, "v0", quiet())
		if err == nil {
			r.close()
			t.Errorf("%s: it starts", code)
		} else if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "pem") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// TestReloadOfItsOwn: there is nothing to read, and nothing changes.
func TestReloadOfItsOwn(t *testing.T) {
	_, cfg := initRelay(t)
	r := start(t, cfg, quiet())
	if err := r.Reload(); err != nil || r.URL().Pin.IsZero() {
		t.Errorf("%v, %v", err, r.URL().Redacted())
	}
}

// TestCertificateFolders: a certificate that is a link is renewed where it leads to.
func TestCertificateFolders(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"live", "archive"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(dir, "archive", "cert1.pem"), nil)
	link := filepath.Join(dir, "live", "cert.pem")
	if err := os.Symlink("../archive/cert1.pem", link); err != nil {
		t.Fatal(err)
	}
	c := &certificate{files: true, cert: link, key: filepath.Join(dir, "live", "key.pem")}
	real, err := filepath.EvalSymlinks(filepath.Join(dir, "archive"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.folders(); len(got) != 2 || !slices.Contains(got, filepath.Join(dir, "live")) || !slices.Contains(got, real) {
		t.Errorf("folders %q", got)
	}
	if got := (&certificate{}).folders(); got != nil {
		t.Errorf("the relay's own is in %q", got)
	}
}
