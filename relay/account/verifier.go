package account

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
	"github.com/lethe-relay/lethe/internal/telemetry"
)

const (
	MaxToken   = 8192 // bytes of a token; real ones have 1 to 2 KiB
	maxSubject = 255  // bytes; OpenID Connect Core 1.0, section 2
)

// ErrToken is wrapped by errors that say why a token is no good, and nothing of what is in it.
var ErrToken = errors.New("the account token is not valid")

// ErrUnavailable says that the issuer could not be asked. The token may be good: try it again later.
var ErrUnavailable = errors.New("the account issuer can't be asked for now")

// Verifier verifies ID tokens of one issuer. It is safe for concurrent use, and has
// nothing to close: what it asks the issuer ends by itself, after 20 s at most.
type Verifier struct {
	// static
	cfg    Config
	log    *telemetry.Log
	client *http.Client

	// guarded by mu
	mu   sync.Mutex
	last *discovery // nil before the first
}

// New makes a verifier. It does not use the network. The log gets whether the issuer answers.
func New(cfg Config, log *telemetry.Log) (*Verifier, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	client, err := newClient()
	if err != nil {
		return nil, err
	}
	return &Verifier{cfg: cfg, log: log, client: client}, nil
}

// Verify returns whose token rawToken is. nonce is what the token must have been
// issued for: the one of the device that shows it. ctx bounds how long the issuer
// is waited for. Errors wrap [ErrToken] or [ErrUnavailable].
func (v *Verifier) Verify(ctx context.Context, rawToken, nonce string) (issuer, subject string, err error) {
	switch {
	case nonce == "":
		return "", "", because("there is no nonce to compare its nonce with")
	case len(rawToken) > MaxToken:
		return "", "", because("it is too long")
	case !isCompact(rawToken):
		return "", "", because("it does not have three parts in base64url")
	}
	keys, err := v.keys(ctx)
	if err != nil {
		return "", "", err
	}
	token, err := v.check(ctx, keys, rawToken)
	if err != nil {
		return "", "", err
	}
	if err := v.checkRest(token, nonce); err != nil {
		return "", "", err
	}
	return v.cfg.Issuer, token.Subject, nil
}

// isCompact holds RFC 7515, section 3.1. A token without a signature has an empty third part.
func isCompact(token string) bool {
	parts := strings.SplitN(token, ".", 4)
	return len(parts) == 3 && !slices.ContainsFunc(parts, func(part string) bool {
		return part == "" || strings.Trim(part, base64url) != ""
	})
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// check has go-oidc check signature, issuer, audience and time.
func (v *Verifier) check(ctx context.Context, keys *oidc.RemoteKeySet, rawToken string) (*oidc.IDToken, error) {
	signature := &signatureCheck{keys: keys}
	verifier := oidc.NewVerifier(v.cfg.Issuer, signature, &oidc.Config{
		ClientID: v.cfg.ClientID, SupportedSigningAlgs: issuerhttp.Algorithms(),
	})
	token, err := verifier.Verify(ctx, rawToken)
	if err == nil {
		return token, nil
	}
	var expired *oidc.TokenExpiredError
	switch {
	case !signature.reached:
		return nil, because("it is malformed, or not signed with an asymmetric algorithm")
	case signature.err != nil:
		return nil, judge(signature.err)
	case errors.As(err, &expired):
		return nil, because("it has expired")
	}
	return nil, because("it is of another issuer or client, not valid yet, or malformed")
}

// checkRest checks what go-oidc leaves to its caller.
func (v *Verifier) checkRest(token *oidc.IDToken, nonce string) error {
	var also struct {
		AuthorizedParty string `json:"azp"`
	}
	switch err := token.Claims(&also); {
	case err != nil:
		return because("it is malformed")
	case also.AuthorizedParty != "" && also.AuthorizedParty != v.cfg.ClientID:
		return because("it was issued to another client")
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return because("it is bound to another device, or to none")
	case token.Subject == "" || len(token.Subject) > maxSubject:
		return because("it has no subject of 1 to 255 bytes")
	}
	return nil
}

// A signatureCheck remembers what became of the one question that it is asked:
// go-oidc makes a text of the error.
type signatureCheck struct {
	keys    *oidc.RemoteKeySet
	reached bool
	err     error
}

// VerifySignature implements [oidc.KeySet].
func (s *signatureCheck) VerifySignature(ctx context.Context, jwt string) (payload []byte, err error) {
	s.reached = true
	payload, s.err = s.keys.VerifySignature(ctx, jwt)
	return payload, s.err
}

// judge tells a bad signature from keys that could not be got. Of go-oidc's
// errors, those about getting keys wrap another.
func judge(err error) error {
	if errors.Unwrap(err) == nil {
		return because("none of the issuer's keys has signed it")
	}
	return unavailable(err)
}

func because(why string) error { return fmt.Errorf("%w: %s", ErrToken, why) }

func unavailable(err error) error {
	return fmt.Errorf("%w: %s", ErrUnavailable, issuerhttp.CauseOf(err))
}
