// Package bare makes sessions without tunnels: the relay admits them as any
// other, but their legs are sockets, and whoever has them sends what it likes
// as long as the first byte of each datagram looks like QUIC's (RFC 9443).
//
//	router   Dial, Register, then Accept for each session
//	device   Dial, Open
//
// Accept and Open bind the leg to a socket of its own. Meet and Admit leave the
// binding to the caller, who gets a [Ticket]: so one socket can have many legs.
//
// Each endpoint says which address of this machine it uses, so that endpoints
// on loopback can be told apart by their addresses, as on a network.
package bare
