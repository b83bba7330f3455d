//go:build !linux

package flows

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

var errLinuxOnly = errors.New("flows need one socket for many addresses, as Linux has it: run the benchmarks on Linux")

// Port is what it is on Linux. Here there are none.
type Port struct {
	port uint16
	in   *inbox
	rest arrival
}

// Open fails: only Linux has Ports.
func Open() (*Port, error) { return nil, errLinuxOnly }

// Close does nothing.
func (*Port) Close() {}

// Borrow fails.
func (*Port) Borrow(int) (net.PacketConn, error) { return nil, errLinuxOnly }

func (*Port) wait(time.Duration) {}
func (*Port) stamp() error       { return errLinuxOnly }
func (*Port) segment(int) error  { return errLinuxOnly }

type route struct{}

func newRoute(int, netip.AddrPort) *route { return &route{} }

type outbox struct{}

func newOutbox(int, int) *outbox      { return &outbox{} }
func (*outbox) len() int              { return 0 }
func (*outbox) message(int) []byte    { return nil }
func (*outbox) put(int, *route)       {}
func (*outbox) send(*Port, int) error { return errLinuxOnly }

type inbox struct{}

func newInbox(int) *inbox                 { return &inbox{} }
func (*inbox) receive(*Port) (int, error) { return 0, errLinuxOnly }
func (*inbox) arrival(int) arrival        { return arrival{} }

func rest(d time.Duration) { time.Sleep(d) }

func takeRank() Rank { return RankNone }
