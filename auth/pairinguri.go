package auth

import (
	"fmt"
	"io"
)

const (
	oneTimeSecretSize = 16 // bytes: 128 bits can't be guessed online or off
	invitationIDSize  = 8  // bytes; tells a router's invitations apart, proves nothing

	labelInvitationID = "lethe invitation id v1"
)

// OneTimeSecret proves that a device has seen the router's pairing URI, or an
// invitation, which is one that lives longer. It is good for one pairing. It is
// a secret.
type OneTimeSecret [oneTimeSecretSize]byte

// NewOneTimeSecret reads a secret from rand, which must be
// [crypto/rand.Reader] outside tests.
func NewOneTimeSecret(rand io.Reader) (s OneTimeSecret, err error) {
	if _, err := io.ReadFull(rand, s[:]); err != nil {
		return OneTimeSecret{}, fmt.Errorf("make a one-time secret: %w", err)
	}
	return s, nil
}

// ID names the invitation that holds s, in lists and when it is withdrawn. It
// does not tell s.
func (s OneTimeSecret) ID() [invitationIDSize]byte {
	id := labelled(labelInvitationID, s[:])
	return [invitationIDSize]byte(id[:invitationIDSize])
}

// PairingURI is what the router shows to one new device, as a QR code or as
// text:
//
//	lethe://HOST[:PORT]/pair?[pin=BASE64URL&]router=BASE64URL&secret=BASE64URL
//
// The RouterID stands there raw, without check characters: nobody types it,
// and a QR code corrects its own errors.
type PairingURI struct {
	Relay  RelayURL // its token is not part of the URI: a device needs none
	Router RouterID
	Secret OneTimeSecret
}

// ParsePairingURI reads a pairing URI; the port is 443 when absent. Errors
// wrap [ErrPairingURI] or [ErrGotRelayURL] and hold no secret and no ID.
func ParsePairingURI(s string) (PairingURI, error) {
	u, err := splitURI(s)
	if err != nil {
		return PairingURI{}, fmt.Errorf("%w: %w", ErrPairingURI, err)
	}
	if u.path != uriPairPath {
		return PairingURI{}, ErrGotRelayURL
	}
	p := PairingURI{Relay: RelayURL{Host: u.host}}
	if err := p.readParams(u); err != nil {
		return PairingURI{}, fmt.Errorf("%w: %w", ErrPairingURI, err)
	}
	return p, nil
}

func (p *PairingURI) readParams(u uri) error {
	if err := u.only(paramPin, paramRouter, paramSecret); err != nil {
		return err
	}
	if err := u.decode(paramPin, p.Relay.Pin[:], false); err != nil {
		return err
	}
	if err := u.decode(paramRouter, p.Router[:], true); err != nil {
		return err
	}
	return u.decode(paramSecret, p.Secret[:], true)
}

// String returns the URI with the secret, for the QR code and the person in
// front of it. It must not get into logs.
func (p PairingURI) String() string {
	s := uriScheme + "://" + p.Relay.Host + uriPairPath + "?"
	if !p.Relay.Pin.IsZero() {
		s += paramPin + "=" + encodeParam(p.Relay.Pin[:]) + "&"
	}
	return s + paramRouter + "=" + encodeParam(p.Router[:]) + "&" + paramSecret + "=" + encodeParam(p.Secret[:])
}
