// Package open is the scenario of sessions that are opened and ended again.
//
//	8 devices ─── relay(1 core) ─── router
//
// It has two kinds of lines. "dial" is what a device goes through that comes from
// nowhere: an open is all of tunnel.Dial up to the router's verdict, with a
// connection to the relay, the request, the router's answer, the leg, the handshake
// end to end, and the evidence. "open" is the admission alone, on control
// connections that live: the request, with grant and evidence, the router's answer,
// both legs, and a datagram that goes to the router and comes back; then the
// device ends the session. There is no tunnel, so nothing but the relay's own work
// is between its core and the figure.
//
//	grant only    the grant demands nothing, and nothing is shown
//	all evidence  the grant has a policy that wants all that devices and relay can
//	              show here: proofs of wifi and geo, account and net vouched for
//	refused       as all evidence, by thieves: key and grant, but not the pairing
//	              secret; the relay refuses them
//	one by one    as all evidence, by one device: what an open takes when the relay
//	              has nothing else to do
//
// Every part is a process; the devices are one. "relay(1 core)" is as in package
// bulk. In dial lines devices and router may use all processors, since they do most
// of the work; in open lines they keep off the relay's.
package open
