package control

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/lethe-relay/lethe/relay/geoip"
)

// loopbackWorld is a world in which 127.0.0.1 is in network 64500 in Switzerland,
// and 127.0.0.2 in France.
func loopbackWorld(t testing.TB) *geoip.DB {
	t.Helper()
	country := func(iso string) mmdbtype.DataType {
		return mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(iso)}}
	}
	db, err := geoip.Open(geoip.Config{
		ASN: worldFile(t, "GeoLite2-ASN", map[string]mmdbtype.DataType{
			"127.0.0.1/32": mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(64500)},
		}),
		Country: worldFile(t, "GeoLite2-Country", map[string]mmdbtype.DataType{"127.0.0.1/32": country("CH"), "127.0.0.2/32": country("FR")}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func worldFile(t testing.TB, kind string, content map[string]mmdbtype.DataType) (path string) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: kind, BuildEpoch: 1, Description: map[string]string{"en": "for a test"}, IncludeReservedNetworks: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for cidr, value := range content {
		_, network, err := net.ParseCIDR(cidr)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(network, value); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(t.TempDir(), kind+".mmdb")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := tree.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	return path
}
