package service

import (
	"encoding/json"
	"flag"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/*.json anew")

// TestCollectStatus compares the documents of whole routers with testdata/NAME.json.
func TestCollectStatus(t *testing.T) {
	now := time.Date(2025, 1, 1, 10, 30, 0, 999, time.FixedZone("", 3600))
	for _, tc := range []struct{ name, root, leases, shows string }{
		{"openwrt", "openwrt", "", "every fact, DHCPv6 and endless leases, lines that are none"},
		{"debian", "debian", "", "the PC's name, the second leases file, which is empty"},
		{"board", "board", "", "a device tree's name, and no leases file"},
		{"broken", "broken", "", "files that are folders, or hold something else"},
		{"absent", "nowhere", "", "a root that is not there: only what the agent knows by itself"},
		{"configured", "openwrt/tmp", "/dhcp.leases", "a configured leases file, looked up under the root"},
		{"mistaken", "openwrt", "/dhcp.leases", "a configured leases file that is not there: the usual one is not used"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status := CollectStatus(StatusConfig{
				Root: filepath.Join("testdata", tc.root), LeasesFile: tc.leases,
				Services: []string{"http", "ssh"}, Version: "1.2.3",
			}, now)
			status.Interfaces = nil // the machine's own: see TestInterfaces
			compareGolden(t, tc.name, tc.shows, status)
		})
	}
}

func compareGolden(t *testing.T, name, shows string, status Status) {
	t.Helper()
	got, err := json.MarshalIndent(status, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s (%s): got\n%s\nwant\n%s", golden, shows, got, want)
	}
}

// TestCollectStatusHere looks at the machine that runs the test: it must not fail, whatever that is.
func TestCollectStatusHere(t *testing.T) {
	status := CollectStatus(StatusConfig{}, time.Now())
	if _, err := json.Marshal(status); err != nil {
		t.Error(err)
	}
}

func TestInterfaces(t *testing.T) {
	for _, i := range interfaces() {
		if len(i.Addresses) == 0 {
			t.Errorf("interface %s has no addresses and should not be listed", i.Name)
		}
		for _, a := range i.Addresses {
			if ip, _, err := net.ParseCIDR(a); err != nil || ip.IsLoopback() {
				t.Errorf("interface %s: address %q is not one with a prefix length, or loopback", i.Name, a)
			}
		}
	}
}
