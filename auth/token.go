package auth

import (
	"crypto/subtle"
	"fmt"
	"io"
)

const tokenSize = 16 // bytes: 128 bits can't be guessed online or off

// Token is the enrolment token of a relay: routers that hold it may register.
// The zero Token stands for "none". A Token is a secret: keep it and every
// [RelayURL] that holds it out of logs.
type Token [tokenSize]byte

// NewToken reads a token from rand, which must be [crypto/rand.Reader] outside
// tests.
func NewToken(rand io.Reader) (t Token, err error) {
	if _, err := io.ReadFull(rand, t[:]); err != nil {
		return Token{}, fmt.Errorf("make an enrolment token: %w", err)
	}
	return t, nil
}

// ParseToken reads what [Token.String] wrote. Errors wrap [ErrToken] and do
// not repeat the text.
func ParseToken(s string) (t Token, err error) {
	if why := decodeParam(s, t[:]); why != "" {
		return Token{}, fmt.Errorf("%w: it %s", ErrToken, why)
	}
	return t, nil
}

// String returns the token as 22 characters of base64url.
func (t Token) String() string { return encodeParam(t[:]) }

// IsZero reports whether t stands for "none".
func (t Token) IsZero() bool { return t == Token{} }

// TokenEqual reports in constant time whether presented, which a router sent,
// is the relay's token. It is false for a zero token: a relay without a token
// enrols nobody.
func TokenEqual(token Token, presented []byte) bool {
	return subtle.ConstantTimeCompare(token[:], presented) == 1 && !token.IsZero()
}
