package udpio

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Payload sizes of the control messages in use. The kernel takes and gives these
// types: int for GRO size, TOS and traffic class, __u16 for segment size.
const (
	sizeInt    = 4
	sizeUint16 = 2
	ecnMask    = 0x03
)

// controlSpace is room for the control messages of one message in either
// direction: segment size, ECN, packet info.
func controlSpace() int {
	return 2*unix.CmsgSpace(sizeInt) + unix.CmsgSpace(unix.SizeofInet6Pktinfo)
}

// control builds control messages in buf, which must be aligned for a Cmsghdr.
type control struct {
	buf  []byte
	used int
}

// put adds a control message and returns its payload to fill in.
func (c *control) put(level, kind int32, size int) []byte {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&c.buf[c.used]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	start := c.used + unix.CmsgLen(0)
	c.used += unix.CmsgSpace(size)
	return c.buf[start : start+size]
}

// putSegSize asks for segmentation into datagrams of size bytes.
func (c *control) putSegSize(size int) {
	binary.NativeEndian.PutUint16(c.put(unix.IPPROTO_UDP, unix.UDP_SEGMENT, sizeUint16), uint16(size))
}

// putECN sets the ECN bits. IPv4 takes them as TOS, on an AF_INET6 socket too.
func (c *control) putECN(ecn uint8, ipv4 bool) {
	level, kind := int32(unix.IPPROTO_IPV6), int32(unix.IPV6_TCLASS)
	if ipv4 {
		level, kind = unix.IPPROTO_IP, unix.IP_TOS
	}
	binary.NativeEndian.PutUint32(c.put(level, kind, sizeInt), uint32(ecn&ecnMask))
}

// putLocal sets the source address. The interface goes along for link-local
// destinations only, where the address alone is ambiguous; elsewhere it would
// override the route.
func (c *control) putLocal(p *Path, ipv4 bool) {
	var index uint32
	if netip.AddrFrom16(p.Remote.IP).IsLinkLocalUnicast() {
		index = p.Local.Interface
	}
	if ipv4 {
		data := c.put(unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0]))
		*info = unix.Inet4Pktinfo{Ifindex: int32(index), Spec_dst: [4]byte(p.Local.IP[12:])}
		return
	}
	data := c.put(unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&data[0]))
	*info = unix.Inet6Pktinfo{Addr: p.Local.IP, Ifindex: index}
}

// readControl fills in what the control messages in b say about m.
func readControl(b []byte, m *Message) {
	for len(b) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			return
		}
		readOne(&h, data, m)
		b = rest
	}
}

func readOne(h *unix.Cmsghdr, data []byte, m *Message) {
	switch {
	case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= sizeInt:
		m.SegSize = int(binary.NativeEndian.Uint32(data))
	case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_TOS && len(data) >= 1:
		m.ECN = data[0] & ecnMask // one byte, whatever ip(7) says
	case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_TCLASS && len(data) >= sizeInt:
		m.ECN = uint8(binary.NativeEndian.Uint32(data)) & ecnMask
	case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
		info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0]))
		m.Path.Local = Local{IP: mapped(info.Addr), Interface: uint32(info.Ifindex)}
	case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
		info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&data[0]))
		m.Path.Local = Local{IP: info.Addr, Interface: info.Ifindex}
	}
}
