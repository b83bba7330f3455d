// Package flows sends thin flows through a relay, any relay of datagrams, and
// measures what comes out of it: how many, how much is lost, how late.
//
//	source Port                        relay                        sink Port
//	127.77.0.1:s ──┐ 0, n, 2n, …   ┌──────────┐    0, n, 2n, …  ┌──► 127.77.0.1:r
//	127.77.0.2:s ──┼ 1, n+1, …  ──►│ whatever │──►  1, n+1, … ──┼──► 127.77.0.2:r
//	     …       ──┘               └──────────┘                 └──►      …
//
// # Words
//
// A [Port] is one UDP socket that has the same port on every address of the
// loopback network. Each address is an endpoint, and a relay sees each as a peer
// of its own. So ten thousand peers cost one descriptor, and who sends or reads
// for all of them does so in batches, and alone: no other process and no other
// thread has to be woken.
//
// A [Flow] is a way from an endpoint of the source Port through the relay to the
// endpoint of the same number of the sink Port. How the relay was made to carry
// it is the caller's business (a session of Lethe, two allocations of a TURN
// server); a Flow only says where to send, what to put before each payload and
// what to skip when it arrives.
//
// A [Load] sends over many flows, as fast as the relay carries or at a rate, and
// checks and counts what arrives. A [Probe] sends now and then, and tells how
// long each datagram was on its way.
//
// # What is the same for every relay
//
// The relay's work per datagram on loopback is the reading of it, its own, and
// the sending of it, in which the kernel delivers the datagram to the sink's
// socket. The sink does not sleep on its socket while a Load runs, so the relay
// never wakes anybody: over a network it wakes nobody either. Endpoints with
// sockets of their own cost whoever sends to them some 0.5 µs more per datagram than
// those of a Port (BenchmarkSinks); that, too, is spared every relay alike.
//
// # Payload
//
// Each is 1200 bytes: 0x40, as QUIC's first byte; a number; bytes that are always the same
// (payload.go). Numbers go up by one over all flows of a Load, so a number tells
// which flow it belongs to, and the sink sees what came to the wrong endpoint.
//
// The package works on Linux; elsewhere [Open] fails.
package flows
