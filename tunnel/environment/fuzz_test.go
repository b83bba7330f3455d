package environment

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// Threat: an access point in reach has any name, and tries to be taken for the
// one that the laptop is connected to.
func FuzzParseNmcli(f *testing.F) {
	mustHaveSeeds(f)
	f.Fuzz(func(t *testing.T, neighbour, connected, out string) {
		checkValid(t, parseNmcli(out))
		n, m := named(neighbour), named(connected)
		list := fmt.Sprintf("no:%X:02:00:00:00:00:01\nyes:%X:3C:84:6A:12:34:56\n", n, m)
		checkNetwork(t, list, parseNmcli(list), expected(m))
	})
}

// Threat: the access point that the laptop is connected to has any name, and
// tries to be taken for another.
func FuzzParseIwLink(f *testing.F) {
	mustHaveSeeds(f)
	f.Fuzz(func(t *testing.T, connected, out string) {
		checkValid(t, parseIwLink(out))
		m := named(connected)
		link := "Connected to 3c:84:6a:12:34:56 (on wlan0)\n\tSSID: " + escaped(m) + "\n\tfreq: 5180\n"
		checkNetwork(t, link, parseIwLink(link), expected(m))
	})
}

// Threat: none; a user's mistake must not become another place.
func FuzzParseLocation(f *testing.F) {
	mustHaveSeeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		given, err := ParseLocation(text)
		switch {
		case err != nil:
			if given != (Given[ecv.Place]{}) {
				t.Fatalf("%q: an error, and something given", text)
			}
		case given.shown == nil:
			if (text == None) != given.said || text != None && text != "" {
				t.Fatalf("%q shows nothing", text)
			}
		case !given.shown.Valid() || strings.Count(text, ",") != 1:
			t.Fatalf("%q became %+v", text, given.shown)
		}
	})
}

// mustHaveSeeds fails if the target's corpus is gone, since it would pass then.
func mustHaveSeeds(f *testing.F) {
	f.Helper()
	seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", f.Name()))
	if err != nil || len(seeds) == 0 {
		f.Fatalf("there are no seeds: %v", err)
	}
}

func checkValid(t *testing.T, n *ecv.Network) {
	t.Helper()
	if n != nil && (!n.Valid() || n.BSSID == [6]byte{}) {
		t.Fatalf("there is no such network: %+v", n)
	}
}

// named cuts a name to what an access point can send.
func named(s string) string { return s[:min(len(s), 32)] }

// expected returns the network of that name; nil for a hidden one.
func expected(ssid string) *ecv.Network {
	if strings.Trim(ssid, "\x00") == "" {
		return nil
	}
	return &ecv.Network{SSID: ssid, BSSID: accessPoint}
}

// escaped writes a name as iw does.
func escaped(ssid string) string {
	var b strings.Builder
	for i, c := range []byte(ssid) {
		inner := i > 0 && i < len(ssid)-1
		if c > ' ' && c < 0x7f && c != '\\' || c == ' ' && inner {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%.2x`, c)
		}
	}
	return b.String()
}
