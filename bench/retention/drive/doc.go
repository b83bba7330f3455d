// Package drive starts a relay, loads it, and says in which order an audit goes.
//
//	audit.go, finish.go    the steps of an audit
//	scans.go, watch.go     looking through memory, and the other observers
//	group.go, cast.go      sessions that begin and end together; keys, grants, addresses
//	part.go and below      the processes that have the ends of the sessions: full, routers, devices
//	bareend.go, stream.go  the ends themselves, and what they send and check
//	relay.go, admin.go     the relay's process, and what it answers its operator
//	cost.go, soak.go       the other two measurements
//
// The ends are in processes of their own, so that they can be killed and frozen,
// and use no memory that could be taken for the relay's.
package drive
