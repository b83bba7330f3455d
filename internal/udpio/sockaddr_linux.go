package udpio

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockaddr has room for an address of either family.
type sockaddr unix.RawSockaddrInet6

// set writes a and returns the length. An AF_INET socket gets an AF_INET
// address where a is one, and refuses it otherwise (EAFNOSUPPORT).
func (s *sockaddr) set(a Addr, ipv4 bool) uint32 {
	if ipv4 && a.is4() {
		s4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(s))
		s4.Family = unix.AF_INET
		s4.Addr = [4]byte(a.IP[12:])
		putPort(&s4.Port, a.Port)
		return unix.SizeofSockaddrInet4
	}
	s.Family = unix.AF_INET6
	s.Addr = a.IP
	s.Flowinfo = 0
	s.Scope_id = a.Scope
	putPort(&s.Port, a.Port)
	return unix.SizeofSockaddrInet6
}

// addr reads what the kernel wrote.
func (s *sockaddr) addr() Addr {
	switch s.Family {
	case unix.AF_INET:
		s4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(s))
		return Addr{IP: mapped(s4.Addr), Port: port(&s4.Port)}
	case unix.AF_INET6:
		return Addr{IP: s.Addr, Scope: s.Scope_id, Port: port(&s.Port)}
	}
	return Addr{}
}

// mapped returns ip as IPv4-mapped IPv6.
func mapped(ip [4]byte) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: ip[0], 13: ip[1], 14: ip[2], 15: ip[3]}
}

// A port lies in network byte order in a field of native order.

func port(field *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(field))[:])
}

func putPort(field *uint16, port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(field))[:], port)
}
