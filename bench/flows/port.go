package flows

import (
	"errors"
	"net/netip"
	"time"
)

// MaxEndpoints is how many endpoints a Port has.
const MaxEndpoints = 1<<16 - 2

// network is the part of 127.0.0.0/8 where endpoints live, 127.77.0.0/16, so
// that none has the address of a relay on 127.0.0.1.
const network = 77

// ErrTimeout says that nothing came in time.
var ErrTimeout = errors.New("nothing came in time")

// ip is the address of an endpoint.
func ip(endpoint int) [4]byte {
	n := endpoint + 1
	return [4]byte{127, network, byte(n >> 8), byte(n)}
}

// endpointAt is the endpoint with this address, or -1.
func endpointAt(ip [4]byte) int {
	if ip[0] != 127 || ip[1] != network {
		return -1
	}
	return int(ip[2])<<8 + int(ip[3]) - 1
}

// Addr is the address of an endpoint, from 0 to MaxEndpoints-1.
func (p *Port) Addr(endpoint int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4(ip(endpoint)), p.port)
}

// Send sends one datagram from an endpoint, as the talking with a relay needs it.
// Any goroutine may call it at any time.
func (p *Port) Send(endpoint int, to netip.AddrPort, b []byte) error {
	out := newOutbox(1, len(b))
	out.put(0, newRoute(endpoint, to))
	copy(out.message(0), b)
	return out.send(p, 1)
}

// Receive waits for the next datagram, to whichever endpoint, and copies it to b.
// It returns ErrTimeout when none comes in time. It is for one goroutine at a
// time, and not while a Load or a Probe has the Port for its sink.
func (p *Port) Receive(b []byte, wait time.Duration) (n, endpoint int, from netip.AddrPort, err error) {
	for deadline := time.Now().Add(wait); len(p.rest.bytes) == 0; {
		got, err := p.in.receive(p)
		if err != nil {
			return 0, 0, from, err
		}
		if got > 0 {
			p.rest = p.in.arrival(0)
			break
		}
		left := time.Until(deadline)
		if left <= 0 {
			return 0, 0, from, ErrTimeout
		}
		p.wait(left)
	}
	one := p.rest.next()
	return copy(b, one), p.rest.endpoint, p.rest.from, nil
}

// arrival is a datagram that came, or several of one size and way that the
// kernel has left together.
type arrival struct {
	bytes    []byte // until the next receive
	size     int    // of each datagram; the last may be shorter
	endpoint int    // that it came to; -1: none
	from     netip.AddrPort
	at       int64 // nanoseconds of Unix time; 0 without stamps
}

// next takes the first datagram out; nil when there is none left.
func (a *arrival) next() []byte {
	n := min(a.size, len(a.bytes))
	one := a.bytes[:n]
	a.bytes = a.bytes[n:]
	return one
}
