package netsim

import (
	"net/netip"
	"time"
)

const (
	// defaultIdle is what RFC 4787 section 4.3 asks of a NAT at least.
	defaultIdle = 2 * time.Minute

	// defaultMaxMappings bounds the memory of a Proxy to 256 KiB for each, and its sockets.
	defaultMaxMappings = 256
)

// Direction is the way a datagram goes through a [Proxy].
type Direction uint8

const (
	ToServer Direction = iota // from a client
	ToClient                  // from the server
)

// String returns "to server" or "to client".
func (d Direction) String() string {
	if d == ToClient {
		return "to client"
	}
	return "to server"
}

// Handler sees each datagram, and decides whether it goes on. It may change the bytes, but not their number; the slice
// is valid only until it returns. Handlers of different clients and directions run at the same time, and hold up
// their direction while they run. A Handler may call Rebind, but not Close.
type Handler func(dir Direction, client netip.AddrPort, datagram []byte) (forward bool)

// Option changes how a [Proxy] works.
type Option func(*Proxy)

// Handle has h decide over every datagram. Without it, all are forwarded.
func Handle(h Handler) Option { return func(p *Proxy) { p.handle = h } }

// Idle sets how long a mapping lives without a datagram in either direction. The default is two minutes.
func Idle(d time.Duration) Option { return func(p *Proxy) { p.idle = d } }

// MaxMappings sets how many clients the proxy serves at once. The default is 256. Datagrams of further clients are
// dropped.
func MaxMappings(n int) Option { return func(p *Proxy) { p.maxMappings = n } }

// Delay lets every datagram take d longer, in either direction: twice that on a round trip. Without it the proxy
// holds nothing up.
func Delay(d time.Duration) Option { return func(p *Proxy) { p.delay = d } }
