package flows

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// portBuffer is what a Port asks for to hold what waits, in bytes.
const portBuffer = 16 << 20

// Port is a UDP socket with one port on every address of the loopback network,
// each of which is an endpoint. Who opens it closes it.
type Port struct {
	fd   int
	port uint16

	// of Receive
	in   *inbox
	rest arrival
}

// Open opens a Port on a free port.
func Open() (*Port, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	p := &Port{fd: fd, in: newInbox(1)}
	if err := p.open(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Port) open() error {
	for _, option := range []struct{ level, name int }{
		{unix.IPPROTO_IP, unix.IP_PKTINFO},   // which endpoint a datagram came to
		{unix.IPPROTO_UDP, unix.UDP_GRO},     // what a relay sends as one arrives as one, as at Lethe's endpoints
		{unix.SOL_SOCKET, unix.SO_REUSEADDR}, // for Borrow
	} {
		if err := unix.SetsockoptInt(p.fd, option.level, option.name, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, portBuffer) != nil { // needs CAP_NET_ADMIN
		if err := unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, portBuffer); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(p.fd, &unix.SockaddrInet4{}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	name, err := unix.Getsockname(p.fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	p.port = uint16(name.(*unix.SockaddrInet4).Port)
	return nil
}

// Close closes the Port. What uses it has ended before.
func (p *Port) Close() { unix.Close(p.fd) }

// Borrow opens a socket of an endpoint's own. Until it is closed, what comes for
// the endpoint comes to it and not to the Port. So a library that wants a socket
// can do the talking with a relay before the Port takes over.
func (p *Port) Borrow(endpoint int) (net.PacketConn, error) {
	share := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
		})
		return errors.Join(err, failed)
	}}
	return share.ListenPacket(context.Background(), "udp4", p.Addr(endpoint).String())
}

// wait returns when something has come, or the time is over.
func (p *Port) wait(d time.Duration) {
	timeout := unix.NsecToTimespec(d.Nanoseconds())
	unix.Ppoll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, &timeout, nil) // who called looks again, whatever it says
}

// stamp has the kernel note when each datagram reaches it.
func (p *Port) stamp() error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
}

// segment has the kernel cut what is sent into datagrams of this size.
func (p *Port) segment(size int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(p.fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, size))
}

// rest lets the thread sleep, without telling Go's scheduler.
func rest(d time.Duration) {
	pause := unix.NsecToTimespec(d.Nanoseconds())
	unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
}

// route is how a datagram gets from an endpoint to where it is sent.
type route struct {
	name    unix.RawSockaddrInet4
	control [routeWords]uint64 // aligned as a Cmsghdr has to be
}

// newRoute makes one. to is IPv4.
func newRoute(endpoint int, to netip.AddrPort) *route {
	r := &route{name: unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4()}}
	putPort(&r.name.Port, to.Port())
	r.setSource(ip(endpoint))
	return r
}
