package udpio

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
)

func TestAddrRoundTrip(t *testing.T) {
	for _, tt := range []struct{ in, out string }{
		{"192.0.2.1:443", "192.0.2.1:443"},
		{"[::ffff:192.0.2.1]:443", "192.0.2.1:443"},
		{"[2001:db8::1]:65535", "[2001:db8::1]:65535"},
		{"[fe80::1%7]:1", "[fe80::1%7]:1"},
		{"[fe80::1%no-such-interface]:1", "[fe80::1]:1"},
		{"0.0.0.0:0", "0.0.0.0:0"},
	} {
		a := AddrFrom(netip.MustParseAddrPort(tt.in))
		if !a.IsValid() || a.String() != tt.out {
			t.Errorf("AddrFrom(%s) = %v (valid %t), want %s", tt.in, a, a.IsValid(), tt.out)
		}
		if again := AddrFrom(a.AddrPort()); again != a {
			t.Errorf("%s: second conversion gives %+v, first gave %+v", tt.in, again, a)
		}
	}
}

func TestAddrIsOneKeyForBothFormsOfIPv4(t *testing.T) {
	plain := AddrFrom(netip.MustParseAddrPort("192.0.2.1:443"))
	mapped := AddrFrom(netip.MustParseAddrPort("[::ffff:192.0.2.1]:443"))
	if plain != mapped {
		t.Errorf("%+v and %+v differ", plain, mapped)
	}
}

func TestAddrZoneName(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil || len(interfaces) == 0 {
		t.Skipf("no network interface to name: %v", err)
	}
	ifi := interfaces[0]
	a := AddrFrom(netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(ifi.Name), 1))
	if want := "[fe80::1%" + strconv.Itoa(ifi.Index) + "]:1"; a.String() != want {
		t.Errorf("got %v, want %s", a, want)
	}
}

func TestZeroAddrIsNone(t *testing.T) {
	if a := AddrFrom(netip.AddrPort{}); a.IsValid() || a.AddrPort().IsValid() {
		t.Errorf("%+v is an address", a)
	}
}
