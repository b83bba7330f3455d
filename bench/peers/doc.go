// Command peers does the same work through Lethe and through the relays that one
// could pick instead, one after the other in the same rounds, on loopback:
//
//	go run ./bench peers                      # from the repository's root
//	go run . [--seconds N] [--rounds N] …     # from here
//
// It is a module of its own, so that what it needs of others is not in Lethe's.
//
//	bench/peers    flags; which relays there are, and the scenario
//	├── server     the relays: programs that are kept running, pion/turn
//	├── ends       both ends of a relay: what flows, what is measured
//	├── turn       allocations and channels of a TURN server
//	└── strelay    sessions of syncthing's relay
//
// bench/README.md says what the columns mean, what each relay is and does that
// Lethe does not, and with which flags it runs.
//
// A relay that is not on this machine is left out; the report says so, and why:
//
//	coturn        Debian's package coturn
//	strelaysrv    Debian's package syncthing-relaysrv
//	derper        a tool in go.mod, built when it is needed
//	pion/turn     a library in go.mod
//
// Installing a package must not start its daemon: what is measured here is
// started here, and listens on loopback only.
package main
