package auth

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
)

// PeerKey returns the Ed25519 key of the certificate that the peer presented
// and, by finishing the TLS handshake, proved to hold. It looks at nothing
// else in the certificate. Errors: [ErrPeerNoCertificate], [ErrPeerKeyType].
// The result is the caller's.
func PeerKey(cs tls.ConnectionState) (ed25519.PublicKey, error) {
	leaf, err := peerLeaf(cs)
	if err != nil {
		return nil, err
	}
	key, ok := leaf.PublicKey.(ed25519.PublicKey)
	if !ok {
		return nil, ErrPeerKeyType
	}
	return bytes.Clone(key), nil
}

func peerLeaf(cs tls.ConnectionState) (*x509.Certificate, error) {
	if len(cs.PeerCertificates) == 0 {
		return nil, ErrPeerNoCertificate
	}
	return cs.PeerCertificates[0], nil
}

// RelayPin is the SHA-256 of a relay certificate's SubjectPublicKeyInfo
// (RFC 7469 section 2.4). The zero RelayPin stands for "not pinned"; no key
// has it.
type RelayPin [sha256.Size]byte

// RelayPinOf returns the pin of the key in cert, of whatever kind it is.
func RelayPinOf(cert *x509.Certificate) RelayPin {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}

// IsZero reports whether pin stands for "not pinned".
func (pin RelayPin) IsZero() bool { return pin == RelayPin{} }

// PinRouter returns a [tls.Config.VerifyConnection] that accepts the router
// that id names and nobody else.
//
// TLS calls VerifyConnection on resumed connections too, which
// VerifyPeerCertificate is not. A client sets InsecureSkipVerify beside it,
// because the pin takes the place of the chain of certificates; a server sets
// ClientAuth to [tls.RequireAnyClientCert]. The same holds for [PinDevice] and
// [PinRelay]. The errors are those of [PeerKey] and *[KeyMismatchError].
func PinRouter(id RouterID) func(tls.ConnectionState) error {
	return func(cs tls.ConnectionState) error {
		key, err := PeerKey(cs)
		if err != nil {
			return err
		}
		if RouterIDOf(key) != id {
			return &KeyMismatchError{PeerRouter}
		}
		return nil
	}
}

// PinDevice returns a [tls.Config.VerifyConnection] that accepts the device
// with this key and nobody else. See [PinRouter].
func PinDevice(device ed25519.PublicKey) func(tls.ConnectionState) error {
	device = bytes.Clone(device)
	return func(cs tls.ConnectionState) error {
		key, err := PeerKey(cs)
		if err != nil {
			return err
		}
		if !key.Equal(device) {
			return &KeyMismatchError{PeerDevice}
		}
		return nil
	}
}

// PinRelay returns a [tls.Config.VerifyConnection] that accepts the relay
// whose key has this pin and nobody else; the zero pin accepts nobody. See
// [PinRouter]. A relay's key may be of any kind.
func PinRelay(pin RelayPin) func(tls.ConnectionState) error {
	return func(cs tls.ConnectionState) error {
		leaf, err := peerLeaf(cs)
		if err != nil {
			return err
		}
		if pin.IsZero() || RelayPinOf(leaf) != pin {
			return &KeyMismatchError{PeerRelay}
		}
		return nil
	}
}

// Peer is the part of the picture that a TLS peer claims to be.
type Peer string

// The peers that can be pinned.
const (
	PeerRouter Peer = "router"
	PeerDevice Peer = "device"
	PeerRelay  Peer = "relay"
)

// KeyMismatchError means that a TLS peer proved to hold a key, and that it is
// not the pinned one.
type KeyMismatchError struct {
	Peer Peer // who should have answered
}

// Error says what the mismatch means. It names no key.
func (e *KeyMismatchError) Error() string {
	switch e.Peer {
	case PeerRouter:
		return "the router's key is not the key that was paired: someone between you and the router answered " +
			"in its place; if the router was reset, unpair it and pair again"
	case PeerDevice:
		return "the device's key is not the key that its grant names: someone between the router and the device " +
			"dialed in its place; nothing was opened"
	default:
		return "the relay's key does not match the pin: someone between you and the relay answered in its place; " +
			"if the relay has a new key, get a new URL from whoever runs it"
	}
}
