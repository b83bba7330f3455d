package tunnel

import (
	"net"
	"time"
)

// Specification: what the other end may count on.
const (
	bindTries     = 3                      // unanswered BINDs after which the socket is replaced
	bindFirst     = 250 * time.Millisecond // to the second BIND when the first is not answered; doubles
	bindSilence   = 500 * time.Millisecond // without anything received, after which an active tunnel asks with a BIND whether the path still works
	deafTime      = 5 * time.Second        // of sending without hearing anything: new streams take a new tunnel
	bindSlowest   = 4 * time.Second        // what it doubles up to
	bindKeepAlive = 15 * time.Second       // between BINDs of a bound leg; NATs forget UDP after 30 s (RFC 4787 allows it, many do)
)

// Implementation.
const (
	relayTimeout     = 10 * time.Second // to connect to the relay, for each of its addresses
	controlIdle      = 15 * time.Second // of the control connection: how soon a router notices that its relay is gone
	openTimeout      = 20 * time.Second // for the relay's answer, which waits for the router's and, with accounts, for their issuer
	bindTimeout      = 6 * time.Second  // to bind a leg
	handshakeTimeout = 15 * time.Second // of the tunnel
	headerTimeout    = 10 * time.Second // for a stream to name its service, and for a tunnel to show its evidence
	evidenceTimeout  = 2 * time.Second  // for a device to look around
	evidenceGrace    = 10 * time.Second // for fresh evidence, once the relay has seen that a device has another network
	stepUpTime       = 5 * time.Minute  // of a tunnel in which nothing but confirmation is served
	denyTime         = 3 * time.Second  // of a tunnel in which nothing is served: for its device to read why
	closingWord      = time.Second / 2  // between the last word to a device and the end of its tunnel
	verdictWait      = time.Second / 2  // at most, for a verdict that is under way when a tunnel is closed
	pairingTimeout   = 30 * time.Second // from a pairing session's start to its end
	farewellTimeout  = time.Second      // to send the last datagrams of a tunnel when the network interface takes none

	tunnelIdle      = time.Minute      // both ends silent: the tunnel is gone
	tunnelKeepAlive = 15 * time.Second // of the QUIC connection, so that either end notices

	judgeEvery = 2 * time.Second // that a tunnel is judged again, when device or relay have news all the time
	judgeBurst = 10              // times in a row without waiting

	maxStreams  = 256 // at once in a tunnel
	maxSessions = 64  // at once at a router; the relay has a limit of its own
	acceptQueue = 64  // streams waiting for Listener.Accept

	// Flow control, see windows.go. Three quarters of streamWindow are sure to be
	// usable: 1 Gbit/s at 100 ms are 12.5 MB.
	streamWindow = 16 << 20 // bytes that an endpoint takes in on a stream before they are read, at most
	connWindow   = 24 << 20 // and in a tunnel: half as much again, as quic-go wants it

	windowPart    = 16      // of the memory is for windows that have grown
	leastWindows  = 4 << 20 // bytes, however little memory there is
	unknownMemory = 1 << 30 // bytes of memory assumed where nobody tells: enough for 1 Gbit/s at 100 ms

	legMessages = 4 // GRO batches of up to 64 KiB read at once

	legBuffer   = 4 << 20   // bytes of kernel buffer asked for, each way: 32 ms at 1 Gbit/s
	leastBuffer = 512 << 10 // however little memory there is: 40 ms at 100 Mbit/s
	bufferPart  = 256       // of the memory, between the two

	feedDatagrams = 220                    // given to quic-go and not yet consumed: with the 8 that it reads at once, fewer than the 256 it queues
	feedPause     = 200 * time.Microsecond // between two looks whether that is less now; in an idle program it is a millisecond
	feedPatience  = 20 * time.Millisecond  // without any progress: what is missing will never be consumed

	runBytes = 20 << 10         // the most that quic-go puts into one run
	heldRuns = 2                // full runs that wait for a third: a UDP send takes 64 KiB
	holdTime = time.Millisecond // that they wait at most. Timers of an idle Go program are no finer
)

// virtualPeer is the address that quic-go sees at both ends of every tunnel:
// the IPv4 dummy address of RFC 7600, which no network routes.
func virtualPeer() *net.UDPAddr { return &net.UDPAddr{IP: net.IPv4(192, 0, 0, 8), Port: 443} }
