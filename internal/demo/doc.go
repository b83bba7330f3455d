// Package demo is the whole of Lethe in one process, for a first look: a relay,
// a router with a small admin page, and a device, all real, on loopback sockets
// and in a temporary directory.
//
//	 browser            device                      relay              router
//	┌────────┐  HTTP  ┌────────┐       ┌──────┐   ┌───────┐   ┌──────────────────────┐
//	│        │ ─────► │  port  │ ────► │ wire │ ─►│ relay │ ◄─│ agent ──► admin page │
//	└────────┘        └────────┘       └──────┘   └───────┘   └──────────────────────┘
//	                       └───── tunnel, encrypted ───────────────┘        │
//	                                      │                              search
//	                                   search                      must find the secret
//	                             must never find it
//
// The wire is a UDP proxy that the device dials in place of the relay. It shows
// what passes there, which is what the relay gets to see.
//
// # The search
//
// Each run makes up a secret. It stands in the page and in every KiB of what is
// moved. The same search looks for it in every datagram on the wire, and in what
// the admin page's server writes. A run fails when the first finds it, when the
// second does not, and when the wire carried less than was moved: a search that
// could not fail would prove nothing.
//
// # What is measured
//
// Transfers go the way that a browser's would: over the device's local port.
// The time of a transfer runs from its first byte to its last; checksums
// (SHA-256) are made by the receiver meanwhile, and by the sender before. All
// programs, the wire and both searches share this machine's cores.
package demo
