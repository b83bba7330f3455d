package auth

import "fmt"

// The parameters of relay URLs and pairing URIs.
const (
	paramPin    = "pin"
	paramToken  = "token"
	paramRouter = "router"
	paramSecret = "secret"
)

// RelayURL says where a relay is, how to recognise it, and what lets a router
// enrol at it:
//
//	lethe://HOST[:PORT][?pin=BASE64URL][&token=BASE64URL]
type RelayURL struct {
	Host  string   // host:port, as net.Dial takes it
	Pin   RelayPin // zero: the relay has a certificate of the public web
	Token Token    // zero: none; devices need none
}

// ParseRelayURL reads a relay URL; the port is 443 when absent. Errors wrap
// [ErrRelayURL] or [ErrGotPairingURI] and hold no token and no pin.
func ParseRelayURL(s string) (RelayURL, error) {
	u, err := splitURI(s)
	if err != nil {
		return RelayURL{}, fmt.Errorf("%w: %w", ErrRelayURL, err)
	}
	if u.path == uriPairPath {
		return RelayURL{}, ErrGotPairingURI
	}
	r := RelayURL{Host: u.host}
	if err := r.readParams(u); err != nil {
		return RelayURL{}, fmt.Errorf("%w: %w", ErrRelayURL, err)
	}
	return r, nil
}

func (r *RelayURL) readParams(u uri) error {
	if err := u.only(paramPin, paramToken); err != nil {
		return err
	}
	if err := u.decode(paramPin, r.Pin[:], false); err != nil {
		return err
	}
	return u.decode(paramToken, r.Token[:], false)
}

// String returns the whole URL with the token, for files and for the person
// who sets up a router. For messages use [RelayURL.Redacted].
func (r RelayURL) String() string {
	if r.Token.IsZero() {
		return r.Redacted()
	}
	mark := "?"
	if !r.Pin.IsZero() {
		mark = "&"
	}
	return r.Redacted() + mark + paramToken + "=" + r.Token.String()
}

// Redacted returns the URL without the token.
func (r RelayURL) Redacted() string {
	s := uriScheme + "://" + r.Host
	if !r.Pin.IsZero() {
		s += "?" + paramPin + "=" + encodeParam(r.Pin[:])
	}
	return s
}
