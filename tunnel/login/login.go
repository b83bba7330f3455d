package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
)

// Config says where to log in, and for what.
type Config struct {
	Issuer   string // an https URL, exactly as the issuer writes it
	ClientID string // of a public client with the device flow
	Nonce    string // stands for the device's key: auth.AccountNonce

	// Local lets the issuer be on this machine, with plain http. Set it only if
	// the relay, which has named the issuer, is on this machine as well.
	Local bool

	// Inside lets the issuer, and all that it names, be on this machine or its
	// network. Set it only if a person has said that it is.
	Inside bool
}

// local tells whether the issuer, and what it names, may be on this machine or
// its network. An issuer on the internet may lead nobody there.
func (c Config) local() bool {
	u, err := url.Parse(c.Issuer)
	return c.Inside || c.Local && err == nil && issuerhttp.Loopback(u.Hostname())
}

// Prompt is what a person needs to know to approve the login. It is safe to print.
type Prompt struct {
	URI         string // where to type the code
	UserCode    string
	CompleteURI string    // the same with the code in it, for a link or QR code; may be empty
	Expires     time.Time // when the code is of no use any more
}

// Token is what the relay wants to see.
type Token struct {
	IDToken string // a secret: whoever has it and the device's key has the account
	Expires time.Time
}

// Login calls show once, and returns when the person has approved or denied the
// login, when the code has expired, or when ctx ends. Errors are those of this
// package, ctx's, or sentences about the network.
func Login(ctx context.Context, cfg Config, show func(Prompt)) (Token, error) {
	if cfg.Nonce == "" {
		return Token{}, errors.New("there is no nonce to log in for: without one, the token would count for every device")
	}
	ctx, cancel := context.WithCancel(ctx) // ends the client's requests
	defer cancel()
	ctx = oidc.ClientContext(ctx, newClient(ctx, cfg.local()))
	provider, err := discover(ctx, cfg.Issuer)
	if err != nil {
		return Token{}, err
	}
	raw, err := authorize(ctx, provider, cfg, show)
	if err != nil {
		return Token{}, err
	}
	return check(ctx, provider, cfg, raw)
}

func discover(ctx context.Context, issuer string) (*oidc.Provider, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, failed(ctx, err)
	}
	if provider.Endpoint().DeviceAuthURL == "" {
		return nil, ErrNoDeviceFlow
	}
	return provider, nil
}

// authorize is RFC 8628. It returns the ID token as it came.
func authorize(ctx context.Context, provider *oidc.Provider, cfg Config, show func(Prompt)) (string, error) {
	client := oauth2.Config{ClientID: cfg.ClientID, Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID}}
	client.Endpoint.AuthStyle = oauth2.AuthStyleInParams // a public client has nothing to put into a header
	begun, err := client.DeviceAuth(ctx, oidc.Nonce(cfg.Nonce))
	if err != nil {
		return "", failed(ctx, err)
	}
	if err := bound(begun, time.Now(), cfg.local()); err != nil {
		return "", err
	}
	show(Prompt{begun.VerificationURI, begun.UserCode, begun.VerificationURIComplete, begun.Expiry})
	token, err := client.DeviceAccessToken(ctx, begun)
	if err != nil && ctx.Err() == nil && !time.Now().Before(begun.Expiry) {
		return "", ErrExpired
	}
	if err != nil {
		return "", failed(ctx, err)
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return "", errNoIDToken
	}
	return raw, nil
}

// check finds out here what a relay would refuse later.
func check(ctx context.Context, provider *oidc.Provider, cfg Config, raw string) (Token, error) {
	token, err := provider.Verifier(&oidc.Config{ClientID: cfg.ClientID, SupportedSigningAlgs: issuerhttp.Algorithms()}).Verify(ctx, raw)
	switch {
	case ctx.Err() != nil:
		return Token{}, ctx.Err()
	case err != nil:
		return Token{}, errBadToken
	case token.Nonce == "":
		return Token{}, ErrNoNonce
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(cfg.Nonce)) != 1:
		return Token{}, errBadToken
	}
	return Token{raw, token.Expiry}, nil
}
