//go:build linux

package e2e

import (
	"bytes"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// TestGeoIP: a relay that has MaxMind's files tells the router whether it knows
// a device's provider and country, and not which they are.
func TestGeoIP(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newRelay(t, ctx)
	write(t, h.at("relay/asn.mmdb"), loopbackIs(t, "Test-ASN", mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(64500)}))
	write(t, h.at("relay/country.mmdb"), loopbackIs(t, "Test-Country", mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String("DE")}}))
	h.edit("relay/relay.yaml", "idle_timeout:", "geoip: {asn: asn.mmdb, country: country.mmdb}\nidle_timeout:")
	h.restartRelay(ctx)
	must(t, ctx, "lethe-agent", "init", "--dir", h.at("agent"), "--relay", h.url)
	write(t, h.at("agent/agent.yaml"), read(t, h.at("agent/agent.yaml"))+strict)
	h.runAgent(ctx)
	must(t, ctx, h.letheCommand(h.device, append([]string{"pair", h.uri(ctx), "--name", "home"}, atHome...)...)...)

	env := h.here(ctx, atHome, "env", "home")
	for _, line := range []string{"✓ the provider is known", "✓ the country is known", "score 125 of 70"} {
		if !strings.Contains(env.stdout, line) {
			t.Errorf("'lethe env' does not say %q:\n%s%s", line, env.stdout, env.stderr)
		}
	}
	if held := read(t, h.at("agent/devices.json")); !strings.Contains(held, "asn:") || strings.Contains(held, "64500") || strings.Contains(held, `"DE"`) {
		t.Errorf("the router keeps more than tags, or none:\n%s", held)
	}

	h.relay.stop(syscall.SIGTERM)
	write(t, h.at("relay/country.mmdb"), "not a database")
	run(t, ctx, "lethe-relay", "run", "--config", h.at("relay/relay.yaml")).refused(t, 1, "country.mmdb")
}

// loopbackIs is a MaxMind file that knows 127.0.0.0/8 only.
func loopbackIs(t *testing.T, kind string, what mmdbtype.DataType) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: kind, BuildEpoch: 1, IncludeReservedNetworks: true, Description: map[string]string{"en": "for a test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Insert(&net.IPNet{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, what); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := tree.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	return file.String()
}
