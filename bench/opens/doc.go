// Package opens is the scenario of devices that open tunnels and close them.
//
//	8 devices ─── relay(1 core) ─── router
//
// An open is all of tunnel.Dial up to the router's verdict: a connection to the
// relay, the request, the router's answer, the leg, the handshake end to end,
// the evidence. The lines:
//
//	grant only    the grant demands nothing, and nothing is shown
//	all evidence  the grant has a policy that wants all that devices and relay can
//	              show here: proofs of wifi and geo, account and net vouched for
//	refused       as all evidence, by thieves: key and grant, but not the pairing
//	              secret; the relay refuses them
//
// Every part is a process; the devices are one. "relay(1 core)" is as in package
// bulk, and so is that devices and router may use all processors.
package opens
