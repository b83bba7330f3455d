package environment

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/auth/ecv"
)

var accessPoint = [6]byte{0x3c, 0x84, 0x6a, 0x12, 0x34, 0x56}

func home() *ecv.Network { return &ecv.Network{SSID: "Home", BSSID: accessPoint} }

func TestParseNmcli(t *testing.T) {
	for name, c := range map[string]struct {
		out  string
		want *ecv.Network
	}{
		"nothing":             {"", nil},
		"radio is off":        {"\n", nil},
		"connected":           {"yes:486F6D65:3C:84:6A:12:34:56\n", home()},
		"no end of line":      {"yes:486F6D65:3C:84:6A:12:34:56", home()},
		"among others":        {"no:4E6569676862:F0:9F:C2:00:00:01\nno::F2:9F:C2:00:00:01\nyes:486F6D65:3C:84:6A:12:34:56\nno:486F6D65:3C:84:6A:12:34:57\n", home()},
		"two adapters":        {"yes:486F6D65:3C:84:6A:12:34:56\nyes:4F74686572:3C:84:6A:12:34:57\n", home()},
		"not connected":       {"no:486F6D65:3C:84:6A:12:34:56\n", nil},
		"hidden":              {"yes::3C:84:6A:12:34:56\n", nil},
		"hidden, with length": {"yes:00000000:3C:84:6A:12:34:56\n", nil},
		"hidden, as --":       {"yes:--:3C:84:6A:12:34:56\n", nil},
		"any bytes":           {"yes:203A5C22270AFF20:3C:84:6A:12:34:56\n", &ecv.Network{SSID: " :\\\"'\n\xff ", BSSID: accessPoint}},
		"longest":             {"yes:" + strings.Repeat("61", 32) + ":3C:84:6A:12:34:56\n", &ecv.Network{SSID: strings.Repeat("a", 32), BSSID: accessPoint}},
		"too long":            {"yes:" + strings.Repeat("61", 33) + ":3C:84:6A:12:34:56\n", nil},
		"half a byte":         {"yes:486F6D6:3C:84:6A:12:34:56\n", nil},
		"no address":          {"yes:486F6D65\n", nil},
		"multicast":           {"yes:486F6D65:3D:84:6A:12:34:56\n", nil},
		"another language":    {"ja:486F6D65:3C:84:6A:12:34:56\n", nil},
		"not running":         {"Error: NetworkManager is not running.\n", nil},
	} {
		checkNetwork(t, name, parseNmcli(c.out), c.want)
	}
}

func TestParseIwLink(t *testing.T) {
	link := func(ssid string) string {
		return "Connected to 3c:84:6a:12:34:56 (on wlan0)\n\tSSID: " + ssid +
			"\n\tfreq: 5180.0\n\tRX: 8218434 bytes (29612 packets)\n\tTX: 1203412 bytes (8123 packets)\n" +
			"\tsignal: -52 dBm\n\trx bitrate: 866.7 MBit/s VHT-MCS 9 80MHz short GI VHT-NSS 2\n\n" +
			"\tbss flags:\tshort-slot-time\n\tdtim period:\t1\n\tbeacon int:\t100\n"
	}
	for name, c := range map[string]struct {
		out  string
		want *ecv.Network
	}{
		"nothing":             {"", nil},
		"not connected":       {"Not connected.\n", nil},
		"connected":           {link("Home"), home()},
		"no end of line":      {"Connected to 3c:84:6a:12:34:56 (on wlan0)\n\tSSID: Home", home()},
		"several links":       {"Connected to 3c:84:6a:12:34:56 (on wlan0)\n\tSSID: Home\n\tLink 0 BSSID f0:9f:c2:00:00:01\n\tfreq: 5955.0\n", home()},
		"any bytes":           {link(`\x20:\x5c"'\x0a\xff\x20`), &ecv.Network{SSID: " :\\\"'\n\xff ", BSSID: accessPoint}},
		"looks like an end":   {link(`Home (on wlan0) SSID: x`), &ecv.Network{SSID: "Home (on wlan0) SSID: x", BSSID: accessPoint}},
		"hidden":              {link(""), nil},
		"hidden, with length": {link(strings.Repeat(`\x00`, 8)), nil},
		"longest":             {link(strings.Repeat("a", 32)), &ecv.Network{SSID: strings.Repeat("a", 32), BSSID: accessPoint}},
		"too long":            {link(strings.Repeat("a", 33)), nil},
		"cut escape":          {link(`Home\x2`), nil},
		"bad escape":          {link(`Home\x2g`), nil},
		"unknown escape":      {link(`Home\n20`), nil},
		"no name":             {"Connected to 3c:84:6a:12:34:56 (on wlan0)\n\tfreq: 5180\n", nil},
		"no address":          {"\tSSID: Home\n", nil},
		"multicast":           {"Connected to 3d:84:6a:12:34:56 (on wlan0)\n\tSSID: Home\n", nil},
		"without a network":   {"Joined IBSS 02:84:6a:12:34:56 (on wlan0)\n\tSSID: Home\n", nil},
		"other radio":         {"command failed: No such device (-19)\n", nil},
	} {
		checkNetwork(t, name, parseIwLink(c.out), c.want)
	}
}

const twoRadios = `phy#1
	Interface wlp0s20f0u1
		ifindex 5
		wdev 0x100000001
		addr 00:c0:ca:00:00:01
		type managed
		txpower 20.00 dBm
phy#0
	Unnamed/non-netdev interface
		wdev 0x2
		addr 3c:a9:f4:00:00:02
		type P2P-device
		txpower 0.00 dBm
	Interface wlan0
		ifindex 3
		wdev 0x1
		addr 3c:a9:f4:00:00:01
		ssid Interface eth0
		type managed
		channel 36 (5180 MHz), width: 80 MHz, center1: 5210 MHz
		txpower 22.00 dBm
`

func TestParseIwDev(t *testing.T) {
	for out, want := range map[string][]string{
		"":                             nil,
		"phy#0\n\tInterface wlan0\n":   {"wlan0"},
		twoRadios:                      {"wlp0s20f0u1", "wlan0"},
		simulated(maxInterfaces):       {"wlan0", "wlan1", "wlan2", "wlan3"},
		simulated(100 * maxInterfaces): {"wlan0", "wlan1", "wlan2", "wlan3"},
	} {
		if got := parseIwDev(out); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", out, got, want)
		}
	}
}

func simulated(interfaces int) string {
	var b strings.Builder
	for i := range interfaces {
		b.WriteString("phy#0\n\tInterface wlan" + strconv.Itoa(i) + "\n")
	}
	return b.String()
}

func checkNetwork(t *testing.T, name string, got, want *ecv.Network) {
	t.Helper()
	if (got == nil) != (want == nil) || got != nil && *got != *want {
		t.Errorf("%s: %+v, want %+v", name, got, want)
	}
}
