package udpio

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLocalNamesTheInterfaceOnlyForLinkLocal reads back what putLocal built. An
// interface index for any other destination would override the route.
func TestLocalNamesTheInterfaceOnlyForLinkLocal(t *testing.T) {
	for _, tt := range []struct {
		remote, local string
		ipv4          bool // the socket
		want          uint32
	}{
		{"[fe80::2%7]:1", "fe80::1", false, 7},
		{"[2001:db8::2]:1", "2001:db8::1", false, 0},
		{"169.254.0.2:1", "169.254.0.1", false, 7},
		{"192.0.2.2:1", "192.0.2.1", false, 0},
		{"169.254.0.2:1", "169.254.0.1", true, 7},
		{"192.0.2.2:1", "192.0.2.1", true, 0},
	} {
		p := Path{
			Remote: AddrFrom(netip.MustParseAddrPort(tt.remote)),
			Local:  Local{IP: netip.MustParseAddr(tt.local).As16(), Interface: 7},
		}
		c := control{buf: newControls(1, controlSpace())[0]}
		c.putLocal(&p, tt.ipv4)
		var m Message
		readControl(c.buf[:c.used], &m)
		if got := m.Path.Local.Interface; got != tt.want {
			t.Errorf("to %s (IPv4 socket: %t): interface %d, want %d", tt.remote, tt.ipv4, got, tt.want)
		}
	}
}

// TestReadControlIgnoresWhatItDoesNotKnow also cuts a valid message everywhere:
// nothing may panic.
func TestReadControlIgnoresWhatItDoesNotKnow(t *testing.T) {
	c := control{buf: newControls(1, controlSpace())[0]}
	c.put(unix.SOL_SOCKET, unix.SCM_TIMESTAMP, sizeInt)
	c.putECN(3, false)
	for n := range c.used {
		readControl(c.buf[:n], new(Message))
	}
	var m Message
	readControl(c.buf[:c.used], &m)
	if m.ECN != 3 {
		t.Error("the message behind the unknown one was not read")
	}
}
