package auth

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Issue signs g with the router's key and returns the grant in SSH wire
// format. It sorts the services and cuts the times to whole seconds. rand
// gives the 32-byte nonce and must be [crypto/rand.Reader] outside tests.
// A grant that [Verify] would refuse for its content is not signed; the error
// is the same.
func Issue(router *Identity, g Grant, rand io.Reader) ([]byte, error) {
	g, err := g.canonical()
	if err != nil {
		return nil, err
	}
	cert, err := unsignedCertificate(g)
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
	return cert.Marshal(), nil
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
		Permissions: ssh.Permissions{
			CriticalOptions: map[string]string{optionServices: strings.Join(g.Services, ",")},
		},
	}, nil
}
