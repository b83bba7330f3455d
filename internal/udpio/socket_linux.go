package udpio

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is the part of a Conn that differs by system. All but gso is fixed once
// the socket is made.
type socket struct {
	fd       int    // good while arrivals or room is held
	arrivals *event // held by all that reads, and by options
	room     *event // held by all that writes
	ending   sync.Once

	ipv4    bool // AF_INET, not AF_INET6
	offload Offload
	granted granted
	gso     gsoSwitch
}

// option is a socket option that must work.
type option struct {
	level, name, value int
	label              string
}

// configure sets all options, between making the socket and binding it.
func (s *socket) configure(raw syscall.RawConn, ip netip.Addr, cfg Config) error {
	s.ipv4 = ip.Is4()
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = setOptions(int(fd), s.options(ip, cfg))
		s.offload = probe(int(fd))
	})
	if err != nil {
		return err
	}
	s.gso.init(s.offload.GSO)
	return failed
}

// options lists what every socket of this kind needs. An AF_INET6 socket takes
// the IPv4 options too: they rule its mapped traffic.
func (s *socket) options(ip netip.Addr, cfg Config) []option {
	opts := []option{
		{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER"},
		{unix.IPPROTO_IP, unix.IP_RECVTOS, 1, "IP_RECVTOS"},
	}
	if !s.ipv4 {
		opts = append(opts,
			option{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE, "IPV6_MTU_DISCOVER"},
			option{unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1, "IPV6_RECVTCLASS"})
	}
	if ip.IsUnspecified() {
		opts = append(opts, s.packetInfo())
	}
	if cfg.ReusePort {
		opts = append(opts, option{unix.SOL_SOCKET, unix.SO_REUSEPORT, 1, "SO_REUSEPORT"})
	}
	return opts
}

// Share lets sockets that are opened later with Config.ReusePort listen on this
// one's address, too. A first socket that is opened without ReusePort and shared
// then is sure to have the port for itself: with ReusePort from the start, it
// would join the sockets of another program of the same user, unnoticed.
func (c *Conn) Share() error {
	var failed error
	err := c.arrivals.hold(func(uintptr) {
		failed = setOptions(c.fd, []option{{unix.SOL_SOCKET, unix.SO_REUSEPORT, 1, "SO_REUSEPORT"}})
	})
	return errors.Join(err, failed)
}

// packetInfo asks for the local address of each datagram. The IPv6 form gives
// mapped addresses for IPv4.
func (s *socket) packetInfo() option {
	if s.ipv4 {
		return option{unix.IPPROTO_IP, unix.IP_PKTINFO, 1, "IP_PKTINFO"}
	}
	return option{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"}
}

func setOptions(fd int, opts []option) error {
	for _, o := range opts {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("set socket option %s: %w", o.label, err)
		}
	}
	return nil
}

// probe turns GRO on where there is GRO, and finds out whether there is GSO.
func probe(fd int) Offload {
	_, gso := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT)
	gro := unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1)
	return Offload{GRO: gro == nil, GSO: gso == nil}
}

// adopt takes the bound socket over from the runtime, and asks for both buffers
// and remembers what was granted.
func (s *socket) adopt(udp *net.UDPConn, want int) error {
	defer udp.Close() // it is ours under another number
	raw, err := udp.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		s.fd, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil || failed != nil {
		return errors.Join(err, failed)
	}
	if s.arrivals, err = newEvent(unix.EPOLLIN); err != nil {
		return errors.Join(err, unix.Close(s.fd))
	}
	if s.room, err = newEvent(unix.EPOLLOUT); err != nil {
		return errors.Join(err, s.arrivals.close(), unix.Close(s.fd))
	}
	s.granted.receive = setBuffer(s.fd, want, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE)
	s.granted.send = setBuffer(s.fd, want, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE)
	return nil
}

func (s *socket) setReadDeadline(t time.Time) error { return s.arrivals.setDeadline(t) }

// A socket that has room is an event that can be read.
func (s *socket) setWriteDeadline(t time.Time) error { return s.room.setDeadline(t) }

// close ends all waiting, waits until nobody holds the socket, and closes it.
func (s *socket) close() (err error) {
	s.ending.Do(func() {
		err = errors.Join(s.arrivals.close(), s.room.close(), unix.Close(s.fd))
	})
	return err
}

// setBuffer asks for want bytes and returns what was granted. The plain option
// is cut to net.core.rmem_max or wmem_max without an error; the forced one is
// not, but needs CAP_NET_ADMIN. Getting less is no error: the caller sees it.
func setBuffer(fd, want, plain, force int) int {
	for _, name := range []int{plain, force} {
		if bufferSize(fd, plain) < want {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, name, want)
		}
	}
	return bufferSize(fd, plain)
}

// bufferSize returns half of what the kernel reports, which is the double of
// what was asked for (socket(7)).
func bufferSize(fd, name int) int {
	size, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, name)
	if err != nil {
		return 0
	}
	return size / 2
}
