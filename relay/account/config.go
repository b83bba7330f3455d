package account

import (
	"errors"
	"net/url"
	"strings"

	"github.com/lethe-relay/lethe/internal/conf"
	"github.com/lethe-relay/lethe/internal/issuerhttp"
)

// Config is the key oidc of relay.yaml. The zero Config is a relay without accounts.
type Config struct {
	Issuer   string `yaml:"issuer"`    // exactly as the issuer writes it
	ClientID string `yaml:"client_id"` // what devices log in as; a public client
}

// Validate is called by package conf.
func (c *Config) Validate() error {
	if err := checkIssuer(c.Issuer); err != nil {
		return conf.KeyErrorf("issuer", "%w", err)
	}
	if !isVisible(c.ClientID) {
		return conf.KeyErrorf("client_id", "must be 1 to %d visible ASCII characters: the name of the client that was made for Lethe at the issuer", maxText)
	}
	return nil
}

const maxText = 512 // bytes; what the relay's answer to login has room for

func isVisible(s string) bool {
	return s != "" && len(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// checkIssuer holds OpenID Connect Discovery 1.0, section 3: a URL without query and fragment.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || !isVisible(issuer) || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(issuer, "#") {
		return errors.New(`is not the URL of an OpenID issuer; write it as the issuer does, such as "https://login.example.org"`)
	}
	if !issuerhttp.Secure(u) {
		return issuerhttp.ErrInsecure
	}
	return nil
}
