package auth

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// SignedGrant is a grant whose signature fits the key inside it. That proves
// nothing about who may do what: only [Verify] does.
type SignedGrant struct {
	Grant  Grant
	Router RouterID // of the key that signed it
}

// ParseGrant reads a grant to show or store it. It checks everything that
// needs no outside knowledge, the signature included, but not whose the grant
// is, nor the time. The result shares no memory with raw.
func ParseGrant(raw []byte) (*SignedGrant, error) {
	p, err := parseGrantForm(raw)
	if err != nil {
		return nil, err
	}
	if err := p.checkSignature(); err != nil {
		return nil, err
	}
	return &SignedGrant{Grant: p.grant, Router: RouterIDOf(p.routerKey)}, nil
}

// Verify decides whether raw is a grant by the router for the device that is
// valid now, and returns it. The device's key must be the one that its TLS
// connection proved ([PeerKey]). Every error wraps one ErrGrant sentinel. What
// Verify accepts is byte for byte what [Issue] writes for the result.
//
// The cheap comparisons come before the signature, so that a flood of foreign
// grants costs little; the time comes last, so that "expired" is said only
// about real grants.
func Verify(raw []byte, router RouterID, device ed25519.PublicKey, now time.Time) (Grant, error) {
	p, err := parseGrantForm(raw)
	if err != nil {
		return Grant{}, err
	}
	if RouterIDOf(p.routerKey) != router {
		return Grant{}, ErrGrantWrongRouter
	}
	if !p.grant.Device.Equal(device) {
		return Grant{}, ErrGrantWrongDevice
	}
	if err := p.checkSignature(); err != nil {
		return Grant{}, err
	}
	if err := p.grant.checkTime(now); err != nil {
		return Grant{}, err
	}
	return p.grant, nil
}

// parsedGrant is a grant of the right form whose signature is not yet checked.
type parsedGrant struct {
	grant     Grant
	routerKey ed25519.PublicKey // the key that claims to have signed
	signed    []byte            // what the signature covers; aliases the input
	signature *ssh.Signature
}

func (p *parsedGrant) checkSignature() error {
	if p.signature.Format != ssh.KeyAlgoED25519 || !ed25519.Verify(p.routerKey, p.signed, p.signature.Blob) {
		return ErrGrantSignature
	}
	return nil
}

func parseGrantForm(raw []byte) (*parsedGrant, error) {
	cert, err := parseGrantCertificate(raw)
	if err != nil {
		return nil, err
	}
	device, err := ed25519Key(cert.Key)
	if err != nil {
		return nil, err
	}
	routerKey, err := ed25519Key(cert.SignatureKey)
	if err != nil {
		return nil, err
	}
	grant, err := grantOf(cert, device)
	if err != nil {
		return nil, err
	}
	signed := raw[:len(raw)-len(ssh.Marshal(cert.Signature))-4] // 4: the length before the signature
	return &parsedGrant{grant, routerKey, signed, cert.Signature}, nil
}

// parseGrantCertificate reads the SSH encoding and insists on the one that
// ssh.Certificate.Marshal writes, so that a grant has one encoding only.
func parseGrantCertificate(raw []byte) (*ssh.Certificate, error) {
	if len(raw) > MaxGrantSize {
		return nil, malformed("it is larger than %d bytes", MaxGrantSize)
	}
	kind, ok := certificateType(raw)
	if !ok {
		return nil, malformed("it is not an SSH certificate")
	}
	if kind != ssh.CertAlgoED25519v01 {
		return nil, ErrGrantKeyType // before the library decodes key types that we never use
	}
	key, err := ssh.ParsePublicKey(raw)
	if err != nil {
		return nil, malformed("it is damaged or cut short")
	}
	cert := key.(*ssh.Certificate) // by its type name, checked above
	if !bytes.Equal(cert.Marshal(), raw) {
		return nil, malformed("its encoding is not canonical")
	}
	if cert.CertType != ssh.UserCert {
		return nil, malformed("it is not a user certificate")
	}
	if len(cert.Nonce) != grantNonceSize || len(cert.Reserved) > 0 {
		return nil, malformed("its nonce or reserved field is not as Lethe writes it")
	}
	return cert, nil
}

// certificateType reads the name that an SSH key or certificate begins with.
func certificateType(raw []byte) (string, bool) {
	var head struct {
		Name string
		Rest []byte `ssh:"rest"`
	}
	err := ssh.Unmarshal(raw, &head)
	return head.Name, err == nil && strings.Contains(head.Name, "-cert-v01@")
}

func ed25519Key(key ssh.PublicKey) (ed25519.PublicKey, error) {
	// By the type's name: hardware keys (sk-) hold an Ed25519 key, too, but sign differently.
	if key.Type() != ssh.KeyAlgoED25519 {
		return nil, ErrGrantKeyType
	}
	return bytes.Clone(key.(ssh.CryptoPublicKey).CryptoPublicKey().(ed25519.PublicKey)), nil
}

// grantOf maps certificate fields to a grant. It is the inverse of
// unsignedCertificate and accepts nothing else.
func grantOf(cert *ssh.Certificate, device ed25519.PublicKey) (Grant, error) {
	if err := knownOptions(cert.Permissions); err != nil {
		return Grant{}, err
	}
	if len(cert.ValidPrincipals) != 1 {
		return Grant{}, ErrGrantRole
	}
	if cert.ValidAfter > maxGrantUnix || cert.ValidBefore > maxGrantUnix {
		return Grant{}, ErrGrantValidity
	}
	if cert.KeyId != DeviceIDOf(device).Short() {
		return Grant{}, malformed("its key ID is not the device's short ID")
	}
	grant := Grant{
		Device:    device,
		Role:      Role(cert.ValidPrincipals[0]),
		NotBefore: time.Unix(int64(cert.ValidAfter), 0),
		NotAfter:  time.Unix(int64(cert.ValidBefore), 0),
		Serial:    cert.Serial,
	}
	if err := grant.readConditions(cert.CriticalOptions); err != nil {
		return Grant{}, err
	}
	grant, err := grant.canonical()
	if err != nil {
		return Grant{}, err
	}
	return grant, grant.checkConditions(cert.CriticalOptions)
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w (%s)", ErrGrantMalformed, fmt.Sprintf(format, args...))
}
