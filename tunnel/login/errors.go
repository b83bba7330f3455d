package login

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/oauth2"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
)

// ErrDenied says that the person denied the login, or may not log in.
var ErrDenied = errors.New("the login was denied: log in again, and approve it in the browser")

// ErrExpired says that nobody approved the login in time.
var ErrExpired = errors.New("nobody approved the login before its code expired: log in again")

// ErrNoDeviceFlow says that the issuer does not offer the device authorization flow.
var ErrNoDeviceFlow = errors.New("the issuer has no device authorization flow (RFC 8628): enable it there, or configure another issuer at the relay")

// ErrNoNonce says that the issuer left the nonce out of the token.
var ErrNoNonce = errors.New("the issuer's token is not bound to this device, since it lacks the nonce: the relay needs an issuer that supports the nonce in the device flow; Keycloak does")

var (
	errNoIDToken = errors.New("the issuer gave no ID token: allow the client the scope openid there")
	errBadToken  = errors.New("the issuer's token is not for this device and client, or not signed by the issuer: check this machine's clock, and the client's settings at the issuer")
	errBadPrompt = errors.New("the issuer does not say properly where to log in: update it, or configure another issuer at the relay")
)

// failed says why the issuer could not be asked, or what it refused.
func failed(ctx context.Context, err error) error {
	var refusal *oauth2.RetrieveError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &refusal):
		return refused(refusal)
	}
	return fmt.Errorf("can't log in at the issuer: %s; check that it runs, and that its URL is right", issuerhttp.CauseOf(err))
}

// refused is RFC 8628, section 3.5. What else the issuer says is for its log.
func refused(by *oauth2.RetrieveError) error {
	switch by.ErrorCode {
	case "access_denied":
		return ErrDenied
	case "expired_token":
		return ErrExpired
	case "":
		return fmt.Errorf("the issuer answered with HTTP status %d: see its log", by.Response.StatusCode)
	}
	return fmt.Errorf("the issuer refused the login (%.40q): check that the client is a public one there, with the device flow and the scope openid", by.ErrorCode)
}
