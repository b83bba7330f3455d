package udpio

import (
	"net"
	"net/netip"
	"strconv"
)

// Addr is a UDP address in the form the kernel gives it: IPv4 is mapped into
// IPv6 (RFC 4291, section 2.5.5.2). It is comparable and meant as a map key.
// The zero Addr is none.
type Addr struct {
	IP    [16]byte
	Scope uint32 // interface index, for link-local IPv6 only
	Port  uint16
}

// AddrFrom converts ap; an invalid one becomes the zero Addr. A zone given by
// name is looked up, which is slow. A zone that does not exist counts as none.
func AddrFrom(ap netip.AddrPort) Addr {
	if !ap.IsValid() {
		return Addr{}
	}
	return Addr{IP: ap.Addr().As16(), Scope: scopeOf(ap.Addr().Zone()), Port: ap.Port()}
}

func scopeOf(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if index, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(index)
	}
	ifi, err := net.InterfaceByName(zone)
	if err != nil {
		return 0
	}
	return uint32(ifi.Index)
}

// AddrPort converts back. IPv4 comes out as IPv4, a scope as a numeric zone. It
// allocates only when there is a scope. The zero Addr gives the zero AddrPort.
func (a Addr) AddrPort() netip.AddrPort {
	if !a.IsValid() {
		return netip.AddrPort{}
	}
	ip := netip.AddrFrom16(a.IP).Unmap()
	if a.Scope != 0 {
		ip = ip.WithZone(strconv.FormatUint(uint64(a.Scope), 10))
	}
	return netip.AddrPortFrom(ip, a.Port)
}

// IsValid reports whether a is an address at all.
func (a Addr) IsValid() bool { return a != Addr{} }

// String returns the form of [netip.AddrPort.String].
func (a Addr) String() string { return a.AddrPort().String() }

func (a Addr) is4() bool { return netip.AddrFrom16(a.IP).Is4In6() }

// Local is the local side of a path: the address that a datagram was sent to and
// the interface it came in by. It is zero when the socket is bound to one
// address, and then the kernel needs no help to answer from it.
type Local struct {
	IP        [16]byte // IPv4 is mapped
	Interface uint32   // index
}

// Path is what it takes to answer a datagram from where it was sent to. For
// something new, Remote is enough.
type Path struct {
	Remote Addr
	Local  Local
}
