package environment

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// maxInterfaces is how many Wi-Fi interfaces iw is asked about. Laptops have one
// or two; a simulator has hundreds.
const maxInterfaces = 4

// connected returns the network that the laptop is connected to; nil if it can't
// be found out. Its time is not set.
func connected(ctx context.Context) *ecv.Network {
	// Names in hex can't be mistaken for a separator or a line. Without
	// "--rescan no" nmcli may scan first, which takes seconds.
	list := run(ctx, "nmcli", "--terse", "--escape", "no", "--fields", "ACTIVE,SSID-HEX,BSSID", "device", "wifi", "list", "--rescan", "no")
	if n := parseNmcli(list); n != nil {
		return n
	}
	for _, name := range parseIwDev(run(ctx, "iw", "dev")) {
		if n := parseIwLink(run(ctx, "iw", "dev", name, "link")); n != nil {
			return n
		}
	}
	return nil
}

// parseNmcli reads lines such as "yes:486F6D65:3C:84:6A:12:34:56", one for each
// access point in reach, and returns the first that is in use.
func parseNmcli(out string) *ecv.Network {
	for line := range strings.Lines(out) {
		active, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		ssid, bssid, _ := strings.Cut(rest, ":")
		if active != "yes" {
			continue
		}
		name, err := hex.DecodeString(ssid)
		if n := network(string(name), bssid); err == nil && n != nil {
			return n
		}
	}
	return nil
}

// parseIwDev returns the names of the first interfaces that `iw dev` lists.
func parseIwDev(out string) (names []string) {
	for line := range strings.Lines(out) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "Interface ")
		if ok && len(names) < maxInterfaces {
			names = append(names, name)
		}
	}
	return names
}

// parseIwLink reads what `iw dev NAME link` prints:
//
//	Connected to 3c:84:6a:12:34:56 (on wlan0)
//		SSID: Home
//		freq: 5180
//
// or "Not connected.".
func parseIwLink(out string) *ecv.Network {
	var bssid string
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "Connected to "); ok {
			bssid, _, _ = strings.Cut(rest, " ")
		}
		if rest, ok := strings.CutPrefix(line, "\tSSID: "); ok {
			name, ok := unescape(strings.TrimSuffix(rest, "\n"))
			if !ok {
				return nil
			}
			return network(name, bssid)
		}
	}
	return nil
}

// unescape undoes iw's print_ssid_escaped: what is not printable ASCII, a
// backslash, and a space at either end are written as \xNN.
func unescape(s string) (string, bool) {
	var out []byte
	for {
		plain, rest, more := strings.Cut(s, `\`)
		out = append(out, plain...)
		if !more {
			return string(out), true
		}
		if len(rest) < 3 || rest[0] != 'x' {
			return "", false
		}
		b, err := hex.DecodeString(rest[1:3])
		if err != nil {
			return "", false
		}
		out = append(out, b...)
		s = rest[3:]
	}
}

// network returns nil if there is no such network. A hidden one, whose name the
// access point does not tell, has an empty name or one of zero bytes.
func network(ssid, bssid string) *ecv.Network {
	address, err := ecv.ParseBSSID(bssid)
	n := ecv.Network{SSID: ssid, BSSID: address}
	if err != nil || !n.Valid() || strings.Trim(ssid, "\x00") == "" {
		return nil
	}
	return &n
}
