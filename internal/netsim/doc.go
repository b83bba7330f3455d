// Package netsim stands between real sockets and does to their datagrams what networks do.
//
// [Proxy] is a NAT for one server. Clients send to the proxy's address, and the server sees each of them as a port of
// the proxy:
//
//	client A ──▶ ┌───────┐ port 1 ──▶ ┌────────┐
//	client B ──▶ │ Proxy │ port 2 ──▶ │ server │
//	             └───────┘            └────────┘
//
// It can show every datagram to the caller, drop or alter it on the caller's word, and give its clients new ports
// while they talk. What arrives together leaves together: datagrams travel in the batches of package udpio, and keep
// their ECN bits.
package netsim
