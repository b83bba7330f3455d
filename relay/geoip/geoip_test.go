package geoip

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// records are a file's content, by network.
type records map[string]mmdbtype.DataType

var (
	networks = records{
		"1.1.1.0/24":     mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(13335), "autonomous_system_organization": mmdbtype.String("A")},
		"2606:4700::/32": mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(4200000000)},
		"5.5.5.0/24":     mmdbtype.Map{"autonomous_system_organization": mmdbtype.String("no number")},
		"6.6.6.0/24":     mmdbtype.Map{"autonomous_system_number": mmdbtype.String("AS6")},
	}
	countries = records{
		"1.1.1.0/25":     country("AU"),
		"2606:4700::/40": country("US"),
		"5.5.5.0/24":     mmdbtype.Map{"continent": mmdbtype.Map{"code": mmdbtype.String("EU")}},
		"6.6.6.0/24":     country("Atlantis"),
	}
)

func country(code string) mmdbtype.DataType {
	return mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(code), "names": mmdbtype.Map{"en": mmdbtype.String(code)}}}
}

// build makes a file's content. With IP version 4, networks of version 6 are left out.
func build(t testing.TB, kind string, version int, content records) []byte {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IPVersion: version, BuildEpoch: 1, Description: map[string]string{"en": "for a test"}})
	if err != nil {
		t.Fatal(err)
	}
	for cidr, value := range content {
		_, network, err := net.ParseCIDR(cidr)
		if err != nil {
			t.Fatal(err)
		}
		if version == 4 && network.IP.To4() == nil {
			continue
		}
		if err := tree.Insert(network, value); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if _, err := tree.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func write(t testing.TB, data []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file.mmdb")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// want is what is known about an address.
type want struct {
	asn     uint32
	country string
}

func (db *DB) check(t *testing.T, all map[string]want) {
	t.Helper()
	for text, w := range all {
		if asn, country := db.Lookup(netip.MustParseAddr(text)); asn != w.asn || country != w.country {
			t.Errorf("%s: AS%d in %q, want AS%d in %q", text, asn, country, w.asn, w.country)
		}
	}
}

func TestLookup(t *testing.T) {
	asn := write(t, build(t, "GeoLite2-ASN", 6, networks))
	land := write(t, build(t, "GeoLite2-Country", 6, countries))
	for name, c := range map[string]struct {
		cfg  Config
		want map[string]want
	}{
		"both": {Config{asn, land}, map[string]want{
			"1.1.1.1": {13335, "AU"}, "1.1.1.200": {13335, ""}, "::ffff:1.1.1.1": {13335, "AU"},
			"2606:4700::1": {4200000000, "US"}, "2606:4700:100::1": {4200000000, ""}, "2606:4700::1%eth0": {4200000000, "US"},
			"9.9.9.9": {}, "2001:4860::1": {}, "127.0.0.1": {}, "::1": {},
			"5.5.5.5": {}, "6.6.6.6": {}, // records that lack it, or have something else in its place
		}},
		"networks only":  {Config{ASN: asn}, map[string]want{"1.1.1.1": {13335, ""}}},
		"countries only": {Config{Country: land}, map[string]want{"1.1.1.1": {0, "AU"}}},
		"neither":        {Config{}, map[string]want{"1.1.1.1": {}}},
		"IPv4 files": {Config{write(t, build(t, "GeoIP2-ISP", 4, networks)), write(t, build(t, "GeoIP2-City", 4, countries))}, map[string]want{
			"1.1.1.1": {13335, "AU"}, "::ffff:1.1.1.1": {13335, "AU"}, "2606:4700::1": {},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			db.check(t, c.want)
		})
	}
	var none *DB
	none.check(t, map[string]want{"1.1.1.1": {}})
	if asn, country := none.Lookup(netip.Addr{}); asn != 0 || country != "" {
		t.Error(asn, country)
	}
}

// TestFileReplaced: what is in use is what was read, whatever becomes of the file.
func TestFileReplaced(t *testing.T) {
	path := write(t, build(t, "GeoLite2-ASN", 6, networks))
	db, err := Open(Config{ASN: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, 10), 0o600); err != nil {
		t.Fatal(err)
	}
	db.check(t, map[string]want{"1.1.1.1": {13335, ""}, "2606:4700::1": {4200000000, ""}})
}

// TestBadFiles: one sentence that names the file and the key.
func TestBadFiles(t *testing.T) {
	good := build(t, "GeoLite2-ASN", 6, networks)
	nodes := bytes.Clone(good)
	for i := range 60 { // the tree's first nodes point far beyond its end
		nodes[i] = 0xff
	}
	for name, c := range map[string]struct {
		path, want string
	}{
		"missing":          {filepath.Join(t.TempDir(), "no.mmdb"), "no such file"},
		"a directory":      {t.TempDir(), "directory"},
		"empty":            {write(t, nil), "damaged"},
		"text":             {write(t, []byte("1.1.1.0/24,13335")), "damaged"},
		"cut":              {write(t, good[:len(good)-1]), "damaged"},
		"without its head": {write(t, good[200:]), "damaged"},
		"broken tree":      {write(t, nodes), "damaged"},
		"of another type":  {write(t, build(t, "GeoLite2-Country", 6, countries)), `"GeoLite2-Country"`},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(Config{ASN: c.path})
			if err == nil || db != nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) || !strings.Contains(err.Error(), "geoip.asn") {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	if _, err := Open(Config{Country: write(t, good)}); err == nil || !strings.Contains(err.Error(), "geoip.country") {
		t.Errorf("a file of networks for countries: %v", err)
	}
}

// Threat: a damaged file that looks whole. There is no panic, neither when it is
// opened nor when something is looked up.
func FuzzFile(f *testing.F) {
	if seeds, _ := filepath.Glob("testdata/fuzz/FuzzFile/*"); len(seeds) == 0 {
		f.Fatal("there are no files to start from")
	}
	asn, land := build(f, "GeoLite2-ASN", 6, networks), build(f, "GeoLite2-Country", 4, countries)
	f.Add(asn, []byte{1, 1, 1, 1})
	f.Add(land, binary.BigEndian.AppendUint32(nil, 0x01010101))
	f.Add(asn[:len(asn)/2], make([]byte, 16))
	f.Fuzz(func(t *testing.T, data, ip []byte) {
		asn, _ := parse(data, []string{"ASN"})
		land, _ := parse(data, []string{"Country"})
		db := &DB{asn, land}
		addr, _ := netip.AddrFromSlice(ip)
		for _, a := range []netip.Addr{addr, netip.IPv4Unspecified(), netip.MustParseAddr("1.1.1.1"), netip.MustParseAddr("2606:4700::1")} {
			if _, country := db.Lookup(a); country != "" && len(country) != 2 {
				t.Fatalf("a country %q", country)
			}
		}
	})
}

// BenchmarkLookup is what an open costs the relay.
func BenchmarkLookup(b *testing.B) {
	db, err := Open(Config{write(b, build(b, "GeoLite2-ASN", 6, networks)), write(b, build(b, "GeoLite2-Country", 6, countries))})
	if err != nil {
		b.Fatal(err)
	}
	addr := netip.MustParseAddr("1.1.1.1")
	b.ReportAllocs()
	for b.Loop() {
		if asn, _ := db.Lookup(addr); asn != 13335 {
			b.Fatal(asn)
		}
	}
}
