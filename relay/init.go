package relay

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/keyfile"
	"github.com/lethe-relay/lethe/internal/statefile"
)

const (
	configFile = "relay.yaml"
	keyFile    = "relay.key"
)

// DefaultListen is where a relay listens when nobody says otherwise.
var DefaultListen = netip.MustParseAddrPort("[::]:443")

// Init writes a configuration and a new key into dir, and returns the
// configuration's path. It leaves a directory that has either alone.
//
// public is the HOST:PORT that agents and devices dial. When it is empty and
// the relay listens on all addresses, one of the machine's own is put there.
func Init(dir string, listen netip.AddrPort, public string) (path string, err error) {
	if public != "" && !isDialable(public) {
		return "", fmt.Errorf("%q is not what agents and devices can dial: give HOST:PORT, such as relay.example.org:443", public)
	}
	if err := statefile.MkdirPrivate(dir); err != nil {
		return "", err
	}
	path = filepath.Join(dir, configFile)
	for _, name := range []string{configFile, keyFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s is there already: 'lethe-relay run --config %s' starts that relay; to make another, choose an empty directory", filepath.Join(dir, name), path)
		}
	}
	token, err := auth.NewToken(rand.Reader)
	if err != nil {
		return "", err
	}
	if public == "" && listen.Addr().IsUnspecified() && listen.Port() != 0 {
		public = netip.AddrPortFrom(ownAddr(), listen.Port()).String()
	}
	if _, err := keyfile.Create(filepath.Join(dir, keyFile)); err != nil {
		return "", err
	}
	return path, statefile.Write(path, configText(listen, public, token))
}

func configText(listen netip.AddrPort, public string, token auth.Token) []byte {
	publicLine := fmt.Sprintf("public: %q", public)
	if public == "" {
		publicLine = "# public: relay.example.org:443"
	}
	return fmt.Appendf(nil, configTemplate, listen.String(), publicLine, token.String(), usualLockdown())
}

const configTemplate = `# Configuration of a Lethe relay. Keep this file to yourself: it holds the enrolment token.

# The UDP address for everything: control plane and tunnels.
listen: %q

# What agents and devices dial, as HOST:PORT. It is part of the URL that 'lethe-relay url' prints.
%s

# The relay's key, beside this file unless absolute. Clients pin its certificate.
key: relay.key

# A router must show this token to register. Devices need none.
enrolment_token: %q

# A certificate that the public web trusts, in its place: PEM files, beside this file unless absolute.
# Clients then check it by their system's roots, and the URL has no pin. After a renewal, send SIGHUP.
# certificate: fullchain.pem
# certificate_key: privkey.pem

# Where the relay tells what it does and holds: unix:PATH (beside this file unless absolute), a loopback
# HOST:PORT, or "off". Any user of the machine can open a port: 'explain' answers on unix: alone.
admin: "unix:admin.sock"

# Whether the kernel must hold that nothing is retained: no files, no processes, no connections, no dumps.
# "require" refuses to start where it can't, and says what to do; "prefer" does what the kernel can; "off".
lockdown: %s

# A session that carries nothing for this long ends.
idle_timeout: "2m"

# Look for datagrams for so long, 50ms at most, before waiting for them. It saves the time of being woken, some
# 30 µs, and takes a whole processor for each socket; there are as many sockets as processors.
busy_poll: "0s"

limits:
  routers: 10000            # registered at once
  sessions: 10000           # at once
  sessions_per_router: 32   # at once
  sessions_per_device: 16   # at once
  connections: 1000         # at once, by source (IPv4 address or IPv6 /64); each agent has one
  requests_per_minute: 3000 # by source: connections, opens, registrations
  opens_per_minute: 300     # by device
  one_way: "256KiB"         # that one end may send before the other has answered
  # Each way of a session, such as "100Mbit"; 0: no bound. Set it where others share your line, or
  # where traffic is counted and costs: one download fills the line otherwise. Half of the line is a good start.
  session_rate: "0"
  step_up_bytes: "256KiB"   # that a session carries whose device must confirm its environment first
  step_up_time: "5m"        # that such a session lasts

# Where people have accounts: an OpenID Connect issuer, and Lethe's public client there, which must
# allow the device flow. A router can then demand the account of a device's owner.
# oidc:
#   issuer: "https://login.example.org"
#   client_id: "lethe"

# MaxMind files that tell the network and the country of an address, beside this file unless
# absolute. Either may be left out. They are read at start. Addresses are never asked of anybody.
# geoip:
#   asn: GeoLite2-ASN.mmdb
#   country: GeoLite2-Country.mmdb
`

// ownAddr is the machine's first address that others may reach, public before
// private, or loopback when there is none.
func ownAddr() netip.Addr {
	best := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return best
	}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || !prefix.Addr().IsGlobalUnicast() {
			continue
		}
		if !prefix.Addr().IsPrivate() {
			return prefix.Addr()
		}
		if best.IsLoopback() {
			best = prefix.Addr()
		}
	}
	return best
}
