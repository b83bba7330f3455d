// Package turn is the client side of a TURN server (RFC 8656), as far as a
// benchmark needs it: allocations over UDP with a long-term credential, and
// channels.
//
//	client ── ChannelData ──► server's port ══ relayed address ── plain datagram ──► peer
//
// A relayed address is a UDP port of the server that belongs to one client. A
// channel is a number that client and server have agreed on for one peer; what is
// sent through it has 4 bytes in front, the cheapest form that TURN has:
//
//	0         2         4
//	┌─────────┬─────────┬──────────────┐
//	│ channel │ length  │ payload      │     channels begin at 0x4000
//	└─────────┴─────────┴──────────────┘
//
// The library github.com/pion/turn has a client too, which starts goroutines for each
// allocation and does all the reading and writing. Here a [Client] only speaks with
// the server, over a socket that is the caller's, so that afterwards the generator of
// bench/flows can send and receive for thousands of them.
//
// Nothing is refreshed: an allocation lives for ten minutes, a permission for
// five, a measurement for seconds.
package turn
