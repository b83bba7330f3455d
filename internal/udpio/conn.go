package udpio

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// Config is how a socket is made. The zero Config is usable.
type Config struct {
	// ReusePort lets several sockets listen on one address. The kernel gives
	// each remote address to one of them. Linux only. Sockets of other programs
	// of the same user may come to share it, too; see [Conn.Share].
	ReusePort bool

	// BufferBytes is the least size wanted for each of the socket's two buffers.
	// Zero leaves the system's default. Getting less is no error: see
	// [Conn.Granted] for what came of it.
	BufferBytes int

	// Control is called with the socket before it is bound, after the options of
	// this package are set, as in [net.ListenConfig]. c is not good any more after that.
	// It may be nil.
	Control func(network, address string, c syscall.RawConn) error
}

// Offload says which kernel features were found when the socket was made.
type Offload struct {
	GRO bool // datagrams that arrive together are read together
	GSO bool // datagrams of one size are written together
}

// Conn is a UDP socket. It is read through a [Reader] and written through a
// [Writer].
type Conn struct {
	local netip.AddrPort
	socket
}

// Listen opens a socket on addr. IPv4 addresses, mapped ones too, make an IPv4
// socket. The unspecified IPv6 address makes one that speaks both IPv6 and IPv4.
// Port 0 picks a free port. The caller closes the Conn.
func Listen(addr netip.AddrPort, cfg Config) (*Conn, error) {
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	c := new(Conn)
	lc := net.ListenConfig{Control: func(network, address string, raw syscall.RawConn) error {
		if err := c.configure(raw, addr.Addr(), cfg); err != nil || cfg.Control == nil {
			return err
		}
		return cfg.Control(network, address, raw)
	}}
	pc, err := lc.ListenPacket(context.Background(), networkOf(addr.Addr()), addr.String())
	if err != nil {
		return nil, listenError(addr, err)
	}
	udp := pc.(*net.UDPConn)
	c.local = addrPortOf(udp)
	if err := c.adopt(udp, cfg.BufferBytes); err != nil {
		return nil, listenError(addr, err)
	}
	return c, nil
}

// networkOf returns the network that makes net open the wanted kind of socket:
// with "udp", 0.0.0.0 would become dual stack; with "udp6", :: would not.
func networkOf(ip netip.Addr) string {
	if ip.Is4() {
		return "udp4"
	}
	return "udp"
}

func addrPortOf(udp *net.UDPConn) netip.AddrPort {
	ap := udp.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// LocalAddr returns the address the socket is bound to, with the real port.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// Granted returns the usable size in bytes of the receive and the send buffer.
// Linux books twice that, to cover its own overhead; the double is not reported
// here, so the values compare with Config.BufferBytes. Both are zero where the
// system does not tell.
func (c *Conn) Granted() (receive, send int) { return c.granted.receive, c.granted.send }

// Offload returns what was found when the socket was made. It does not change
// while a device refuses offload for a time.
func (c *Conn) Offload() Offload { return c.offload }

// SetReadDeadline makes ReadBatch return [os.ErrDeadlineExceeded] from t on. The
// zero time takes the deadline away.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setReadDeadline(t) }

// SetWriteDeadline makes WriteBatch give up from t on. The zero time takes the
// deadline away.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setWriteDeadline(t) }

// SyscallConn returns access to the socket for options that are not set here.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.access() }

// Close closes the socket. Reads and writes under way, and later ones, return
// [net.ErrClosed]. Closing again does nothing.
func (c *Conn) Close() error { return c.close() }

// granted is the result of asking for buffers.
type granted struct{ receive, send int }
