package issuerhttp

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// ErrInside means that a URL, or the address behind its name, is of this machine
// or of a local network.
var ErrInside = errors.New("it leads into this machine or its local network: an issuer needs a public address; if it is one of your own network, say so with --local-issuer")

// Loopback tells whether a host, as it is written, is this machine.
func Loopback(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") { // RFC 6761, section 6.3
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// Outside is nil for an https URL that does not name an address of this machine
// or of a local network. What a name stands for is seen only when it is dialled.
func Outside(u *url.URL) error {
	addr, err := netip.ParseAddr(u.Hostname())
	switch {
	case !Secure(u):
		return ErrInsecure
	case Loopback(u.Hostname()), err == nil && inside(addr):
		return ErrInside
	}
	return nil
}

// inside tells whether an address is not one of the internet.
func inside(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10)          // RFC 6598; VPNs use it, too
	site := netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfe, 1: 0xc0}), 10) // RFC 3879
	return !addr.IsGlobalUnicast() || addr.IsPrivate() || shared.Contains(addr) || site.Contains(addr)
}

// outward is what [Outward] makes.
type outward struct {
	proxy   func(*http.Request) (*url.URL, error)
	direct  http.RoundTripper // dials no address that is inside
	proxied http.RoundTripper // dials the proxy, wherever that is
}

// Outward makes a transport for requests to hosts that somebody else has named:
// it sends those that [Outside] lets pass, and only to addresses of the internet,
// whatever a name resolves to. Where the environment names a proxy, that resolves
// the names; it is this machine's owner's, and may be anywhere.
func Outward() http.RoundTripper { return newOutward(http.ProxyFromEnvironment) }

func newOutward(proxy func(*http.Request) (*url.URL, error)) *outward {
	dialer := &net.Dialer{Control: refuseInside}
	return &outward{
		proxy:   proxy,
		direct:  &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
		proxied: &http.Transport{Proxy: proxy, DisableKeepAlives: true},
	}
}

// RoundTrip implements [http.RoundTripper].
func (o *outward) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := Outside(r.URL); err != nil {
		return nil, err
	}
	proxy, err := o.proxy(r)
	switch {
	case err != nil:
		return nil, err
	case proxy != nil:
		return o.proxied.RoundTrip(r)
	}
	return o.direct.RoundTrip(r)
}

// refuseInside is a Control of [net.Dialer]: it sees the address that a name has
// become.
func refuseInside(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || inside(to.Addr()) {
		return ErrInside
	}
	return nil
}
