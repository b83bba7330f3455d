package auth

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestURIVectors(t *testing.T) {
	all := readVectors[uriVectors](t, "uris.json")
	for _, v := range notEmpty(t, all.RelayURLs) {
		t.Run("relay/"+v.Name, func(t *testing.T) {
			got, err := ParseRelayURL(v.Text)
			if err != nil || got != v.relayURL() || got.String() != v.Text {
				t.Errorf("%+v, %v, prints as %s", got, err, got)
			}
			_, err = ParsePairingURI(v.Text)
			wantRefusal(t, err, ErrGotRelayURL)
		})
	}
	for _, v := range notEmpty(t, all.PairingURIs) {
		t.Run("pairing/"+v.Name, func(t *testing.T) {
			got, err := ParsePairingURI(v.Text)
			if err != nil || got != v.pairingURI() || got.String() != v.Text {
				t.Errorf("%+v, %v, prints as %s", got, err, got)
			}
			_, err = ParseRelayURL(v.Text)
			wantRefusal(t, err, ErrGotPairingURI)
		})
	}
}

const (
	testPin    = "WCEfb2L50-kyg2a8TbVPMo--mf1dmakvdriP6aRWNHg"
	testToken  = "AAECAwQFBgcICQoLDA0ODw"
	testSecret = "EBESExQVFhcYGRobHB0eHw"
	testRouter = "BP6j_vzMeOCIiQwdyKiIQKxVP3j9hZJu8bfmWPMNSsQ"
	testPair   = "router=" + testRouter + "&secret=" + testSecret
)

func TestParseRelayURLForgives(t *testing.T) {
	for typed, want := range map[string]string{
		"lethe://relay.example.net":                        "lethe://relay.example.net:443",
		" lethe://relay.example.net:443\n":                 "lethe://relay.example.net:443",
		"LETHE://Relay.Example.NET:8443":                   "lethe://relay.example.net:8443",
		"lethe://relay.example.net/":                       "lethe://relay.example.net:443",
		"lethe://relay.example.net/?":                      "lethe://relay.example.net:443",
		"lethe://[2001:DB8:0:0::1]":                        "lethe://[2001:db8::1]:443",
		"lethe://h?token=" + testToken:                     "lethe://h:443?token=" + testToken,
		"lethe://my_relay.lan:65535":                       "lethe://my_relay.lan:65535",
		"lethe://xn--bcher-kva.example:1":                  "lethe://xn--bcher-kva.example:1",
		"lethe://127.0.0.1:4433?pin=" + testPin:            "lethe://127.0.0.1:4433?pin=" + testPin,
		"lethe://h?token=" + testToken + "&pin=" + testPin: "lethe://h:443?pin=" + testPin + "&token=" + testToken,
	} {
		got, err := ParseRelayURL(typed)
		if err != nil || got.String() != want {
			t.Errorf("%q: %q, %v; want %q", typed, got, err, want)
		}
	}
}

func TestParseRelayURLRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"empty", "", "begin with lethe://"},
		{"https", "https://relay.example.net", "begin with lethe://"},
		{"no scheme", "relay.example.net:443", "begin with lethe://"},
		{"one slash", "lethe:/relay.example.net", "begin with lethe://"},
		{"no host", "lethe://", "DNS name"},
		{"only a port", "lethe://:443", "DNS name"},
		{"user", "lethe://me@relay.example.net", "'@'"},
		{"user and password", "lethe://me:" + testToken + "@h", "'@'"},
		{"fragment", "lethe://h?pin=" + testPin + "#x", "'#'"},
		{"fragment without query", "lethe://h#x", "'#'"},
		{"path", "lethe://h/relay", "nothing may stand"},
		{"longer path", "lethe://h/pair/", "nothing may stand"},
		{"port 0", "lethe://h:0", "1 to 65535"},
		{"port 65536", "lethe://h:65536", "1 to 65535"},
		{"leading zero", "lethe://h:0443", "1 to 65535"},
		{"signed port", "lethe://h:+443", "1 to 65535"},
		{"empty port", "lethe://h:", "1 to 65535"},
		{"named port", "lethe://h:https", "1 to 65535"},
		{"forgotten '?'", "lethe://h:443pin=" + testPin + "&token=" + testToken, "1 to 65535"},
		{"IPv6 without brackets", "lethe://2001:db8::1", "[brackets]"},
		{"IPv6 without brackets, ending in hex", "lethe://2001:db8::a", "[brackets]"},
		{"bracket left open", "lethe://[2001:db8::1", "IPv6 address"},
		{"empty brackets", "lethe://[]:443", "IPv6 address"},
		{"IPv4 in brackets", "lethe://[192.0.2.1]:443", "IPv6 address"},
		{"zone", "lethe://[fe80::1%eth0]:443", "without a zone"},
		{"text after brackets", "lethe://[::1]x:443", "IPv6 address"},
		{"IPv4 cut short", "lethe://192.0.2", "complete IP address"},
		{"IPv4 out of range", "lethe://192.0.2.256", "complete IP address"},
		{"name too long", "lethe://" + strings.Repeat("a.", 127) + "a", "complete IP address"},
		{"label too long", "lethe://" + strings.Repeat("a", 64), "DNS name"},
		{"empty label", "lethe://a..b", "DNS name"},
		{"dash first", "lethe://-a", "DNS name"},
		{"percent", "lethe://a%2eb", "DNS name"},
		{"not ASCII", "lethe://bücher.example", "character 10"},
		{"space", "lethe://h ?pin=" + testPin, "character 10"},
		{"line break", "lethe://h?pin=\n" + testPin, "character 15"},
		{"too long", "lethe://h?pin=" + strings.Repeat("a", 600), "longer than 512"},
		{"unknown parameter", "lethe://h?pim=" + testPin, `"pim" is not one of its parameters, which are pin, token`},
		{"HTML", "lethe://h?pin=" + testPin + "&amp;token=" + testToken, `"amp;token" is not one`},
		{"secret in a relay URL", "lethe://h?secret=" + testSecret, `"secret" is not one`},
		{"value for a name", "lethe://h?" + testPin + "=x", "a name of more than 16 characters"},
		{"no '='", "lethe://h?" + testToken, "name=value"},
		{"empty parameter", "lethe://h?pin=" + testPin + "&", "name=value"},
		{"pin twice", "lethe://h?pin=" + testPin + "&pin=" + testPin, `has "pin" twice`},
		{"empty pin", "lethe://h?pin=", "its pin has 0 characters instead of 43"},
		{"pin cut short", "lethe://h?pin=" + testPin[1:], "its pin has 42 characters instead of 43"},
		{"pin padded", "lethe://h?pin=" + testPin + "=", "its pin has 44"},
		{"pin in base64", "lethe://h?pin=" + strings.ReplaceAll(testPin, "-", "+"), "its pin is not base64url"},
		{"pin with stray bits", "lethe://h?pin=" + testPin[:42] + "h", "its pin is not base64url"},
		{"pin of zeros", "lethe://h?pin=" + strings.Repeat("A", 43), "its pin is all zeros"},
		{"token cut short", "lethe://h?token=" + testToken[:21], "its token has 21 characters instead of 22"},
		{"token of zeros", "lethe://h?token=" + strings.Repeat("A", 22), "its token is all zeros"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseRelayURL(c.text)
			wantURIError(t, err, ErrRelayURL, c.says)
			if got != (RelayURL{}) {
				t.Errorf("%+v beside an error", got)
			}
		})
	}
}

func TestParsePairingURIRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"https", "https://h/pair?" + testPair, "begin with lethe://"},
		{"no parameters", "lethe://h/pair", "it has no router"},
		{"no router", "lethe://h/pair?secret=" + testSecret, "it has no router"},
		{"no secret", "lethe://h/pair?router=" + testRouter, "it has no secret"},
		{"cut short", "lethe://h/pair?" + testPair[:len(testPair)-3], "its secret has 19 characters instead of 22"},
		{"with a token", "lethe://h/pair?" + testPair + "&token=" + testToken, `"token" is not one`},
		{"bad pin", "lethe://h/pair?pin=x&" + testPair, "its pin has 1 characters"},
		{"router with check characters", "lethe://h/pair?secret=" + testSecret + "&router=" + strings.Repeat("a", 63), "its router has 63"},
		{"router of zeros", "lethe://h/pair?secret=" + testSecret + "&router=" + strings.Repeat("A", 43), "its router is all zeros"},
		{"secret of zeros", "lethe://h/pair?router=" + testRouter + "&secret=" + strings.Repeat("A", 22), "its secret is all zeros"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParsePairingURI(c.text)
			wantURIError(t, err, ErrPairingURI, c.says)
			if got != (PairingURI{}) {
				t.Errorf("%+v beside an error", got)
			}
		})
	}
}

// wantURIError also holds every error to repeating nothing secret.
func wantURIError(t *testing.T, err, want error, says string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
		t.Fatalf("got %v; want %v with %q", err, want, says)
	}
	for _, secret := range []string{testPin, testToken, testSecret, testRouter} {
		if strings.Contains(err.Error(), secret[4:12]) {
			t.Errorf("the error repeats a value: %v", err)
		}
	}
}

func TestURIsRoundTrip(t *testing.T) {
	host := rapid.OneOf(
		rapid.StringMatching(`[a-z]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{2,8}){0,3}:[1-9][0-9]{0,3}`),
		rapid.StringMatching(`(1?[1-9]?[0-9]\.){3}1?[1-9]?[0-9]:443`),
		rapid.SampledFrom([]string{"[::1]:1", "[2001:db8::a]:443"}),
	)
	bytesOf := func(n int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), n, n) }
	rapid.Check(t, func(t *rapid.T) {
		r := RelayURL{
			Host:  host.Draw(t, "host"),
			Pin:   RelayPin(bytesOf(32).Draw(t, "pin")),
			Token: Token(bytesOf(16).Draw(t, "token")),
		}
		if got, err := ParseRelayURL(r.String()); err != nil || got != r {
			t.Fatalf("%s: %+v, %v", r, got, err)
		}
		p := PairingURI{Relay: r, Router: RouterID{1}, Secret: OneTimeSecret{2}}
		copy(p.Router[1:], bytesOf(31).Draw(t, "router"))
		copy(p.Secret[1:], bytesOf(15).Draw(t, "secret"))
		text := p.String()
		p.Relay.Token = Token{}
		if got, err := ParsePairingURI(text); err != nil || got != p {
			t.Fatalf("%s: %+v, %v", text, got, err)
		}
	})
}

func TestSecretsStayOutOfTheWrongText(t *testing.T) {
	r := RelayURL{Host: "h:443", Pin: RelayPin{1}, Token: Token{2}}
	if text := r.Redacted(); strings.Contains(text, "token") || strings.Contains(text, r.Token.String()) {
		t.Errorf("Redacted: %s", text)
	}
	p := PairingURI{Relay: r, Router: RouterID{3}, Secret: OneTimeSecret{4}}
	if text := p.String(); strings.Contains(text, "token") || strings.Contains(text, r.Token.String()) {
		t.Errorf("the pairing URI tells the relay's token: %s", text)
	}
}

// A QR code of version 8 with level L holds 192 bytes in 49 by 49 modules,
// which a terminal of 80 by 25 shows in half blocks without scrolling.
func TestPairingURIFitsATerminal(t *testing.T) {
	p := PairingURI{Relay: RelayURL{Host: "relay-frankfurt-1.lethe.example.net:44333", Pin: RelayPin{1}}, Router: RouterID{1}, Secret: OneTimeSecret{1}}
	if n := len(p.String()); n > 192 {
		t.Errorf("%d bytes", n)
	}
}

func TestTokens(t *testing.T) {
	if _, err := NewToken(strings.NewReader("short")); err == nil {
		t.Error("a token was made of 5 bytes")
	}
	token, err := NewToken(bytes.NewReader(bytes.Repeat([]byte{7}, tokenSize)))
	if err != nil || token.IsZero() {
		t.Fatalf("%v, %v", token, err)
	}
	if got, err := ParseToken(token.String()); err != nil || got != token {
		t.Errorf("%v, %v", got, err)
	}
	for text, says := range map[string]string{"": "has 0 characters", testToken[1:]: "has 21 characters", strings.Repeat("!", 22): "not base64url"} {
		if got, err := ParseToken(text); !errors.Is(err, ErrToken) || !strings.Contains(err.Error(), says) || !got.IsZero() {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for name, presented := range map[string][]byte{
		"nothing": nil, "a prefix": token[:15], "more": append(token[:], 0), "zeros": make([]byte, tokenSize), "one bit off": append([]byte{6}, token[1:]...),
	} {
		if TokenEqual(token, presented) {
			t.Errorf("%s is taken for the token", name)
		}
	}
	if !TokenEqual(token, bytes.Clone(token[:])) {
		t.Error("the token is not taken for itself")
	}
	if TokenEqual(Token{}, make([]byte, tokenSize)) {
		t.Error("a relay without a token enrols who presents zeros")
	}
}
