package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"

	"github.com/go-jose/go-jose/v4"
)

// Key is a provider's signing key. It implements the library's SigningKey.
type Key struct {
	id        string
	algorithm jose.SignatureAlgorithm
	private   crypto.Signer
}

// NewES256 makes a key on P-256. id becomes the header field kid of what it signs.
func NewES256(id string) (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return &Key{id, jose.ES256, private}, nil
}

// NewRS256 makes an RSA key of 2048 bits. id becomes the header field kid of what it signs.
func NewRS256(id string) (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return &Key{id, jose.RS256, private}, nil
}

// ID is the header field kid.
func (k *Key) ID() string { return k.id }

// SignatureAlgorithm is the header field alg.
func (k *Key) SignatureAlgorithm() jose.SignatureAlgorithm { return k.algorithm }

// Key is the private key.
func (k *Key) Key() any { return k.private }

// Public is the public key.
func (k *Key) Public() crypto.PublicKey { return k.private.Public() }

// publicKey is a key as it is published. It implements the library's Key.
type publicKey struct{ pair *Key }

func (k publicKey) ID() string                         { return k.pair.id }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return k.pair.algorithm }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return k.pair.Public() }
