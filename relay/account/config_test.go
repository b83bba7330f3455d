package account

import (
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/internal/conf"
)

func TestConfig(t *testing.T) {
	for text, wrong := range map[string]string{
		"issuer: https://login.example.org\nclient_id: lethe":             "",
		"issuer: https://login.example.org/realms/home\nclient_id: lethe": "",
		"issuer: http://127.0.0.1:9998\nclient_id: lethe":                 "",
		"issuer: http://[::1]:9998/\nclient_id: lethe":                    "",
		"issuer: http://localhost:9998\nclient_id: lethe":                 "",
		"issuer: http://login.example.org\nclient_id: lethe":              "https",
		"issuer: http://127.0.0.1.example.org\nclient_id: lethe":          "https",
		"issuer: ftp://login.example.org\nclient_id: lethe":               "https",
		"issuer: https://login.example.org?a=b\nclient_id: lethe":         "OpenID issuer",
		"issuer: https://login.example.org#a\nclient_id: lethe":           "OpenID issuer",
		"issuer: https://user:pass@login.example.org\nclient_id: lethe":   "OpenID issuer",
		"issuer: login.example.org\nclient_id: lethe":                     "OpenID issuer",
		"client_id: lethe":                                                                         "OpenID issuer",
		"issuer: https://login.example.org":                                                        "client_id",
		"issuer: https://login.example.org\nclient_id: a b":                                        "client_id",
		"issuer: https://login.example.org/ü\nclient_id: lethe":                                    "OpenID issuer",
		"issuer: https://login.example.org/" + strings.Repeat("a", maxText) + "\nclient_id: lethe": "OpenID issuer",
		"issuer: https://login.example.org\nclient_id: " + strings.Repeat("a", maxText+1):          "client_id",
	} {
		var c Config
		err := conf.Parse("relay.yaml", []byte(text), &c)
		if wrong == "" && err != nil || wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)) {
			t.Errorf("%q: %v, want %q", text, err, wrong)
		}
		if v, err := New(c, nil); (err == nil) != (wrong == "") || (v != nil) != (wrong == "") {
			t.Errorf("%q: New disagrees: %v", text, err)
		}
	}
}
