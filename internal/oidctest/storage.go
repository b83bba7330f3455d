package oidctest

import (
	"context"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// storage is what the library asks a provider for.
type storage struct {
	op.Storage // nil: for the flows that this provider does not have
	p          *Provider
}

func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.p.clientID {
		return nil, errors.New("there is no such client")
	}
	return client{id}, nil
}

func (s *storage) AuthorizeClientIDSecret(context.Context, string, string) error {
	return errors.New("the client is public: it has no secret")
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return s.p.Key(), nil }

func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{publicKey{s.p.Key()}}, nil
}

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256, jose.RS256}, nil
}

// StoreDeviceAuthorization implements [op.DeviceAuthorizationStorage].
func (s *storage) StoreDeviceAuthorization(ctx context.Context, clientID, deviceCode, userCode string, expires time.Time, scopes []string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.logins[deviceCode] = &login{
		userCode: userCode,
		nonce:    formOf(ctx).Get("nonce"),
		state:    op.DeviceAuthorizationState{ClientID: clientID, Scopes: scopes, Expires: expires},
	}
	return nil
}

// GetDeviceAuthorizatonState implements [op.DeviceAuthorizationStorage], which spells it like this.
func (s *storage) GetDeviceAuthorizatonState(_ context.Context, clientID, deviceCode string) (*op.DeviceAuthorizationState, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	l := s.p.logins[deviceCode]
	if l == nil || l.state.ClientID != clientID {
		return nil, errors.New("there is no such login")
	}
	state := l.state
	return &state, nil
}

func (s *storage) CreateAccessToken(context.Context, op.TokenRequest) (id string, expires time.Time, err error) {
	return "unused", time.Now().Add(tokenLifetime), nil
}

func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest implements [op.CanSetUserinfoFromRequest]: it puts the nonce into the ID token.
func (s *storage) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, request op.IDTokenRequest, _ []string) error {
	info.Subject = request.GetSubject()
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	l := s.p.logins[formOf(ctx).Get("device_code")]
	if l != nil && l.nonce != "" && !s.p.forgetful {
		info.AppendClaims("nonce", l.nonce)
	}
	return nil
}
