package service

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	maxLeasesFile = 1 << 20 // bytes
	maxClients    = 1024
	maxHostname   = 255 // bytes, RFC 1035 section 2.3.4

	// maxExpiry is the last second of the year 9999, after which RFC 3339, and so JSON, has no time.
	maxExpiry = 253402300799
)

// usualLeasesFiles are where dnsmasq keeps its leases: on OpenWrt, elsewhere.
var usualLeasesFiles = [...]string{"/tmp/dhcp.leases", "/var/lib/misc/dnsmasq.leases"}

// leases is what a leases file holds.
type leases struct {
	clients []Client // not nil
	skipped int      // malformed lines
	cut     bool     // there is more in the file
}

// leases reads the configured leases file, or the first of the usual ones that is there.
func (r root) leases(configured string) (leases, bool) {
	names := usualLeasesFiles[:]
	if configured != "" {
		names = []string{configured}
	}
	for _, name := range names {
		if content, more, ok := r.read(name, maxLeasesFile); ok {
			return parseLeases(content, more), true
		}
	}
	return leases{}, false
}

// parseLeases reads the lease file format of dnsmasq: see parseLease. If more says that content was cut off, its last
// line is not complete and not used.
func parseLeases(content []byte, more bool) leases {
	l := leases{clients: []Client{}, cut: more}
	text := string(content)
	if more {
		text = text[:strings.LastIndexByte(text, '\n')+1]
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || len(fields) == 2 && fields[0] == "duid" { // the server's own DHCPv6 identifier
			continue
		}
		client, ok := parseLease(fields)
		switch {
		case !ok:
			l.skipped++
		case len(l.clients) == maxClients:
			l.cut = true
		default:
			l.clients = append(l.clients, client)
		}
	}
	return l
}

// parseLease reads the fields of one line, "*" standing for an unknown name or client identifier:
//
//	expiry  MAC            IPv4  hostname  client-id      expiry in seconds since 1970, 0 for never
//	expiry  [T]IAID        IPv6  hostname  client-id      DHCPv6
func parseLease(fields []string) (c Client, ok bool) {
	if len(fields) != 5 {
		return Client{}, false
	}
	expiry, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || expiry < 0 || expiry > maxExpiry {
		return Client{}, false
	}
	if expiry > 0 {
		c.Expires = time.Unix(expiry, 0).UTC()
	}
	ip, err := netip.ParseAddr(fields[2])
	if err != nil || ip.Zone() != "" {
		return Client{}, false
	}
	c.IP = ip.String()
	c.MAC, ok = hardwareAddress(fields[1], ip.Is6())
	if !ok || len(fields[3]) > maxHostname || strings.ContainsFunc(fields[3], notPrintable) {
		return Client{}, false
	}
	if fields[3] != "*" {
		c.Hostname = fields[3]
	}
	return c, true
}

// hardwareAddress reads the second field of a lease. A DHCPv6 lease has the identifier of an association there
// (RFC 8415 section 4.2), which says nothing to a reader; "T" marks that of a temporary address.
func hardwareAddress(field string, dhcpv6 bool) (mac string, ok bool) {
	if dhcpv6 {
		_, err := strconv.ParseUint(strings.TrimPrefix(field, "T"), 10, 32)
		return "", err == nil
	}
	address, err := net.ParseMAC(field)
	return address.String(), err == nil
}

// notPrintable reports what has no place in a host name that is shown to a person. Clients choose theirs.
func notPrintable(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII }
