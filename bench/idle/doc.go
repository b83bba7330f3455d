// Package idle is the scenario of routers that are registered and do nothing.
//
//	1,000 or 10,000 routers ─── relay(1 core)
//
// Each router has a key, an address and a socket of its own, and keeps its
// connection alive as an agent does. The routers are one process. What a router
// costs is what the relay has more than before: a relay with 16 routers is looked at,
// then the others register, and when the relay has collected what their handshakes have
// left behind, by itself, it is looked at again.
//
//	resident   of the process, as the kernel counts
//	heap       objects of Go, with what is garbage at that moment
//	stacks     of goroutines
//
// Resident memory is more than heap and stacks: the runtime has its own, and what is
// free between objects is resident, too.
//
// A relay that loses a router meanwhile has failed.
package idle
