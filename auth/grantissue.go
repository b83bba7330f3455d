package auth

import (
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"
)

// Issue signs g with the router's key and returns the grant in SSH wire
// format. It sorts the services and cuts the times to whole seconds. rand
// gives the 32-byte nonce and must be [crypto/rand.Reader] outside tests.
// A grant that [Verify] would refuse for its content is not signed; the error
// is the same, or [ErrGrantTooLarge].
func Issue(router *Identity, g Grant, rand io.Reader) ([]byte, error) {
	cert, err := checkedCertificate(g)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromSigner(router.key)
	if err != nil {
		return nil, fmt.Errorf("sign the grant: %w", err)
	}
	if err := cert.SignCert(rand, signer); err != nil {
		return nil, fmt.Errorf("sign the grant: %w", err)
	}
	raw := cert.Marshal()
	if len(raw) > MaxGrantSize {
		return nil, fmt.Errorf("%w (it would have %d)", ErrGrantTooLarge, len(raw))
	}
	return raw, nil
}

// checkedCertificate maps g to certificate fields that Verify accepts. The
// policy is judged before it is written, because the text of a senseless one
// may say something else.
func checkedCertificate(g Grant) (*ssh.Certificate, error) {
	g, err := g.canonical()
	if err != nil {
		return nil, err
	}
	if g.Policy != nil {
		if err := g.Policy.Validate(); err != nil {
			return nil, wrongPolicy(err)
		}
	}
	cert, err := unsignedCertificate(g)
	if err != nil {
		return nil, err
	}
	_, err = grantOf(cert, g.Device)
	return cert, err
}

// unsignedCertificate maps a canonical grant to certificate fields.
func unsignedCertificate(g Grant) (*ssh.Certificate, error) {
	key, err := ssh.NewPublicKey(g.Device)
	if err != nil {
		return nil, fmt.Errorf("encode the device's key: %w", err)
	}
	return &ssh.Certificate{
		Key:             key,
		Serial:          g.Serial,
		CertType:        ssh.UserCert,
		KeyId:           DeviceIDOf(g.Device).Short(), // the relay reads it: nothing about a person
		ValidPrincipals: []string{string(g.Role)},
		ValidAfter:      uint64(g.NotBefore.Unix()),
		ValidBefore:     uint64(g.NotAfter.Unix()),
		Permissions:     ssh.Permissions{CriticalOptions: g.criticalOptions()},
	}, nil
}
