package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const leaseLine = "1735732800 3c:22:fb:0a:11:02 192.168.8.101 annas-phone *\n"

func TestLeasesBounds(t *testing.T) {
	for _, tc := range []struct {
		name, content string
		clients       int
		cut           bool
	}{
		{"as many as are shown", strings.Repeat(leaseLine, maxClients), maxClients, false},
		{"one more", strings.Repeat(leaseLine, maxClients+1), maxClients, true},
		{"cut in the middle of a line", padded(maxLeasesFile-len(leaseLine)+8) + leaseLine, 0, true},
		{"ends where the limit is", padded(maxLeasesFile-len(leaseLine)) + leaseLine, 1, false},
		{"one line without end", strings.Repeat("x", maxLeasesFile+1), 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "leases"), []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			l, ok := root(dir).leases("leases")
			if !ok || len(l.clients) != tc.clients || l.cut != tc.cut {
				t.Fatalf("found %v, %d clients, cut %v; want %d, %v", ok, len(l.clients), l.cut, tc.clients, tc.cut)
			}
			if l.skipped != 0 {
				t.Errorf("%d lines were taken for malformed", l.skipped)
			}
		})
	}
}

// padded returns n bytes of empty lines.
func padded(n int) string { return strings.Repeat("\n", n) }

// FuzzLeases feeds the leases parser what a confused dnsmasq, or a client with a strange name, could have written.
// Whatever it is, the result is bounded, has real addresses, and can be encoded. Its seeds are the leases files of
// the test trees.
func FuzzLeases(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*/tmp/dhcp.leases")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range seeds {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content, false)
		f.Add(content, true)
	}
	f.Fuzz(func(t *testing.T, content []byte, more bool) {
		l := parseLeases(content, more)
		if lines := bytes.Count(content, []byte{'\n'}) + 1; len(l.clients)+l.skipped > lines || len(l.clients) > maxClients {
			t.Fatalf("%d clients and %d skipped lines from %d lines", len(l.clients), l.skipped, lines)
		}
		if _, err := json.Marshal(l.clients); err != nil {
			t.Fatal(err)
		}
		checkRoundTrip(t, l.clients)
	})
}

// checkRoundTrip writes clients as dnsmasq would and expects to read the same ones.
func checkRoundTrip(t *testing.T, clients []Client) {
	t.Helper()
	var file bytes.Buffer
	for _, c := range clients {
		expires, mac, hostname := int64(0), c.MAC, c.Hostname
		if !c.Expires.IsZero() {
			expires = c.Expires.Unix()
		}
		if netip.MustParseAddr(c.IP).Is6() {
			mac = "7"
		}
		if hostname == "" {
			hostname = "*"
		}
		fmt.Fprintln(&file, expires, mac, c.IP, hostname, "*")
	}
	again := parseLeases(file.Bytes(), false)
	if again.skipped != 0 || len(again.clients) != len(clients) {
		t.Fatalf("of %d clients %d came back, %d lines were skipped", len(clients), len(again.clients), again.skipped)
	}
	for i, c := range again.clients {
		if c != clients[i] || c.Expires.Year() > 9999 || c.Expires.Location() != time.UTC {
			t.Fatalf("client %d came back as %+v, was %+v", i, c, clients[i])
		}
	}
}
