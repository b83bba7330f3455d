package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The syntax that relay URLs and pairing URIs share. It is a strict subset of
// RFC 3986: no user info, no fragment, no percent-encoding, every parameter at
// most once. It is read by hand and not by net/url, whose errors repeat the
// text and with it the secrets in it.

const (
	uriScheme      = "lethe"
	uriPairPath    = "/pair"
	uriMaxLen      = 512 // bytes; the longest valid one has 401
	uriMaxHost     = 253 // bytes, RFC 1035 section 2.3.4
	uriMaxLabel    = 63
	uriMaxParam    = 16 // a longer name is not repeated in an error: it may be a value
	uriDefaultPort = "443"
)

// uri is a split URI. Its host is canonical, its values are not decoded.
type uri struct {
	host   string // host:port
	path   string // "" or uriPairPath
	params map[string]string
}

// splitURI splits s, which people paste: white space around it is ignored.
func splitURI(s string) (u uri, err error) {
	s = strings.TrimSpace(s)
	if len(s) > uriMaxLen {
		return u, fmt.Errorf("it is longer than %d characters; copy it alone", uriMaxLen)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }); i >= 0 {
		return u, fmt.Errorf("character %d is not one that it can hold; copy it without line breaks", i+1)
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || !strings.EqualFold(scheme, uriScheme) {
		return u, errors.New("it must begin with lethe://")
	}
	rest, query, _ := strings.Cut(rest, "?")
	if strings.Contains(rest, "#") || strings.Contains(query, "#") {
		return u, errors.New("it must not hold a '#'")
	}
	authority, path, slash := strings.Cut(rest, "/")
	if slash && path != "" {
		u.path = "/" + path
	}
	if u.path != "" && u.path != uriPairPath {
		return u, errors.New("nothing may stand between the port and the '?', or /pair for pairing")
	}
	if u.host, err = parseHostPort(authority); err != nil {
		return u, err
	}
	u.params, err = splitParams(query)
	return u, err
}

// only returns an error when u has a parameter that is not in names.
func (u uri) only(names ...string) error {
	for name := range u.params {
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if !known {
			return fmt.Errorf("%s is not one of its parameters, which are %s", quoteParam(name), strings.Join(names, ", "))
		}
	}
	return nil
}

// decode reads the parameter name into dst, which fixes its length. A
// parameter that is absent is an error when it is required; otherwise dst
// stays zero.
func (u uri) decode(name string, dst []byte, required bool) error {
	text, ok := u.params[name]
	if !ok && required {
		return fmt.Errorf("it has no %s; copy it whole, and put it in quotes, since shells read & as an end", name)
	}
	if !ok {
		return nil
	}
	if why := decodeParam(text, dst); why != "" {
		return fmt.Errorf("its %s %s", name, why)
	}
	return nil
}

func splitParams(query string) (map[string]string, error) {
	params := make(map[string]string)
	if query == "" {
		return params, nil
	}
	for part := range strings.SplitSeq(query, "&") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, errors.New("after the '?' it must have parameters of the form name=value, joined by '&'")
		}
		if _, twice := params[name]; twice {
			return nil, fmt.Errorf("it has %s twice", quoteParam(name))
		}
		params[name] = value
	}
	return params, nil
}

func quoteParam(name string) string {
	if len(name) > uriMaxParam {
		return "a name of more than " + strconv.Itoa(uriMaxParam) + " characters"
	}
	return strconv.Quote(name)
}

func encodeParam(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decodeParam reads base64url without padding into dst and returns what is
// wrong with text, or "". All zeros are refused: in Lethe they stand for "not
// set" and must not be smuggled in as a value.
func decodeParam(text string, dst []byte) (why string) {
	if want := base64.RawURLEncoding.EncodedLen(len(dst)); len(text) != want {
		return fmt.Sprintf("has %d characters instead of %d; copy it whole", len(text), want)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != len(dst) {
		return "is not base64url; copy it whole"
	}
	copy(dst, b)
	for _, c := range b {
		if c != 0 {
			return ""
		}
	}
	return "is all zeros, which no real one is"
}

// parseHostPort returns authority in its canonical form host:port, in small
// letters and with the port always there.
func parseHostPort(authority string) (string, error) {
	if strings.Contains(authority, "@") {
		return "", errors.New("it must not hold a user name or a '@'")
	}
	host, port := authority, uriDefaultPort
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return "", errors.New("its port must be a number from 1 to 65535, and an IPv6 address must stand in [brackets]")
	}
	if host, err = parseHost(host); err != nil {
		return "", err
	}
	return host + ":" + port, nil
}

func parseHost(host string) (string, error) {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		return parseIPv6(inner)
	}
	if strings.Contains(host, ":") {
		return "", errors.New("an IPv6 address must stand in [brackets]")
	}
	return parseHostName(host)
}

func parseIPv6(bracketed string) (string, error) {
	text, closed := strings.CutSuffix(bracketed, "]")
	addr, err := netip.ParseAddr(text)
	if err != nil || !closed || !addr.Is6() || addr.Zone() != "" {
		return "", errors.New("between [ and ] it must have an IPv6 address without a zone")
	}
	return "[" + addr.String() + "]", nil
}

func parseHostName(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is4() {
		return addr.String(), nil
	}
	host = strings.ToLower(host)
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !validLabel(label) {
			return "", errors.New("its host must be a DNS name (in the xn-- form if need be) or an IP address")
		}
	}
	// A last label of digits is a mistyped IPv4 address, not a name.
	if last := labels[len(labels)-1]; len(host) > uriMaxHost || strings.Trim(last, "0123456789") == "" {
		return "", errors.New("its host is neither a DNS name nor a complete IP address")
	}
	return host, nil
}

func validLabel(label string) bool {
	if label == "" || len(label) > uriMaxLabel || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
