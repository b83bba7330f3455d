package service

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/internal/splice"
)

// DialTimeout limits [Target.Dial]. A target is on the router or in its network: one that does not answer by then
// is down, and a device should not have to wait to hear so.
const DialTimeout = 5 * time.Second

// maxSocketPath is the longest path of a Unix socket on Linux, in bytes: sun_path without its final NUL (unix(7)).
const maxSocketPath = 107

// Target is where a service is: a TCP port or a Unix socket that the router can reach. The zero Target is none.
// Targets are comparable.
type Target struct {
	network string // "tcp", "unix"
	address string // as net.Dial takes it
}

// ParseTarget reads "tcp:HOST:PORT" or "unix:/PATH".
func ParseTarget(s string) (Target, error) {
	network, address, _ := strings.Cut(s, ":")
	fault := "it starts with neither tcp: nor unix:"
	switch network {
	case "tcp":
		fault = checkTCP(address)
	case "unix":
		fault = checkUnix(address)
	}
	if fault != "" {
		return Target{}, fmt.Errorf("target %.200q is not valid: %s; write tcp:HOST:PORT or unix:/PATH", s, fault)
	}
	return Target{network: network, address: address}, nil
}

// checkTCP returns what is wrong with HOST:PORT, or "".
func checkTCP(address string) (fault string) {
	host, port, err := net.SplitHostPort(address)
	switch number, portErr := strconv.ParseUint(port, 10, 16); {
	case err != nil:
		return "after tcp: it needs a host and a port, an IPv6 address in brackets"
	case host == "":
		return "the host is missing"
	case !validHost(host):
		return "the host is neither an IP address nor a host name"
	case portErr != nil || number == 0:
		return "the port is not a number from 1 to 65535"
	}
	return ""
}

// validHost reports whether host is an address, or made of what host names are made of in practice (RFC 952, with the
// underscore that home networks use).
func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return !strings.ContainsFunc(host, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", r)
	})
}

// checkUnix returns what is wrong with the path of a socket, or "".
func checkUnix(address string) (fault string) {
	switch {
	case !path.IsAbs(address):
		return "the path of a socket starts with /"
	case len(address) > maxSocketPath:
		return fmt.Sprintf("the path of a socket has at most %d bytes", maxSocketPath)
	case strings.ContainsRune(address, 0):
		return "the path has a NUL in it"
	}
	return ""
}

// UnmarshalText parses as [ParseTarget] does, for configuration files.
func (t *Target) UnmarshalText(text []byte) error {
	parsed, err := ParseTarget(string(text))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// MarshalText is the inverse of UnmarshalText.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// String is the target as a configuration writes it. The zero Target is "".
func (t Target) String() string {
	if t == (Target{}) {
		return ""
	}
	return t.network + ":" + t.address
}

// Dial connects to the target within [DialTimeout], or less if ctx ends before. A target that cannot be reached is a
// [*DownError]; if ctx was cancelled, its cause is returned instead. The
// caller owns the connection.
func (t Target) Dial(ctx context.Context) (splice.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(limited, t.network, t.address)
	if err == nil {
		return conn.(splice.Conn), nil // a *net.TCPConn or *net.UnixConn: Target has no other networks
	}
	if ctx.Err() == context.Canceled {
		return nil, context.Cause(ctx)
	}
	return nil, &DownError{Target: t, Err: err}
}
