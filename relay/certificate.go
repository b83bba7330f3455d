package relay

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/internal/telemetry"
)

// certFault is what is wrong with a certificate from files.
type certFault uint8

const (
	certUnreadable certFault = iota
	certMalformed
	certExpired
	certOtherHost
	certFaults // how many there are
)

// String is the code in the log.
func (f certFault) String() string {
	return [certFaults]string{"unreadable", "malformed_or_no_pair", "expired_or_not_yet_valid", "not_for_the_public_name"}[f]
}

// certError is the fault as a sentence, for the person who starts the relay.
type certError struct {
	fault certFault
	err   error
}

func (e *certError) Error() string { return e.err.Error() }

// certificate is what the control plane shows to its clients: the relay's own,
// which they pin, or one from files, which they check by their system's roots.
type certificate struct {
	// static
	files  bool   // from files
	cert   string // PEM file: the certificate, and those that lead to a root
	key    string // PEM file
	host   string // that it must be good for
	inUse  atomic.Pointer[tls.Certificate]
	logged *telemetry.Log
}

// certificate reads the relay's certificate.
func (c *Config) certificate(id *auth.Identity, port uint16, log *telemetry.Log) (*certificate, error) {
	if c.Certificate == "" {
		own, err := id.Certificate(time.Now())
		if err != nil {
			return nil, err
		}
		made := &certificate{logged: log}
		made.inUse.Store(&own)
		return made, nil
	}
	host, _, err := net.SplitHostPort(c.publicHost(port))
	if err != nil {
		return nil, err
	}
	made := &certificate{files: true, cert: c.path(c.Certificate), key: c.path(c.CertificateKey), host: host, logged: log}
	read, err := made.read(time.Now())
	if err != nil {
		return nil, err
	}
	made.inUse.Store(read)
	return made, nil
}

// tls is the control plane's configuration. Each handshake gets what is in use then.
func (c *certificate) tls() *tls.Config {
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.inUse.Load(), nil }}
}

// pin is what clients recognise the relay by; zero if they check its certificate.
func (c *certificate) pin() (none auth.RelayPin) {
	if c.files {
		return none
	}
	return auth.RelayPinOf(c.inUse.Load().Leaf)
}

// expires is when a certificate from files does; zero for the relay's own, whose
// clients don't look.
func (c *certificate) expires() (never time.Time) {
	if !c.files {
		return never
	}
	return c.inUse.Load().Leaf.NotAfter
}

// reload reads the files again. What is no good changes nothing.
func (c *certificate) reload() error {
	if !c.files {
		c.logged.Say(telemetry.CertificateOwn)
		return nil
	}
	read, err := c.read(time.Now())
	var wrong *certError
	if errors.As(err, &wrong) {
		c.logged.Say(telemetry.CertificateKept, telemetry.Code(telemetry.Why, wrong.fault), c.validFor())
		return err
	}
	c.inUse.Store(read)
	c.logged.Say(telemetry.CertificateRead, c.validFor())
	return nil
}

// rehearse reads the files as a reload will. A process that is locked down has no
// rights of root any more, and would else learn of that at the first renewal.
func (c *certificate) rehearse() error {
	if !c.files {
		return nil
	}
	if _, err := c.read(time.Now()); err != nil {
		return fmt.Errorf("the certificate can't be read again as it must be after a renewal: %w; have the user that the relay runs as own both files, and let it into their folders", err)
	}
	return nil
}

func (c *certificate) validFor() telemetry.Value {
	return telemetry.Duration(telemetry.ValidFor, time.Until(c.inUse.Load().Leaf.NotAfter).Round(time.Second))
}

// read reads and checks the pair; errors are *certError. It does not ask whether
// the clients' roots know who has signed it: they may have one of their own.
func (c *certificate) read(now time.Time) (*tls.Certificate, error) {
	fault := func(f certFault, format string, args ...any) (*tls.Certificate, error) {
		return nil, &certError{f, fmt.Errorf(format, args...)}
	}
	chain, err := os.ReadFile(c.cert)
	if err != nil {
		return fault(certUnreadable, "read the certificate that relay.yaml names: %w", err)
	}
	key, err := statefile.Read(c.key)
	if err != nil {
		return fault(certUnreadable, "read the certificate's key that relay.yaml names: %w", err)
	}
	defer clear(key)
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return fault(certMalformed, "%s and %s are not a certificate and its key in PEM: %w", c.cert, c.key, err)
	}
	leaf := pair.Leaf
	switch {
	case now.Before(leaf.NotBefore) || now.After(leaf.NotAfter):
		return fault(certExpired, "the certificate %s is valid from %s to %s only: renew it, or set the clock",
			c.cert, leaf.NotBefore.UTC().Format(time.DateOnly), leaf.NotAfter.UTC().Format(time.DateOnly))
	case leaf.VerifyHostname(c.host) != nil:
		return fault(certOtherHost, "the certificate %s is not for %s, which agents and devices dial: set public in relay.yaml to a name that it is for, or get one for that", c.cert, c.host)
	}
	if err := usable(leaf); err != nil {
		return fault(certMalformed, "the certificate %s: %w", c.cert, err)
	}
	return &pair, nil
}

// usable refuses what a client would refuse at each handshake.
func usable(leaf *x509.Certificate) error {
	if len(leaf.ExtKeyUsage) > 0 && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return errors.New("it is not for servers; get one that is")
	}
	return nil
}

// folders are where the files are, and where links lead from there now: a renewed
// certificate is a new file in one of them.
func (c *certificate) folders() (dirs []string) {
	if !c.files {
		return nil
	}
	for _, path := range []string{c.cert, c.key} {
		for _, at := range []string{path, realPath(path)} {
			if dir, err := filepath.Abs(filepath.Dir(at)); err == nil && !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

func realPath(path string) string {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		return at
	}
	return path
}
