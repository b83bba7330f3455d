// Package relay is the server: it puts together the data plane (forward), the
// control plane (control) and the operator's view (admin), from one
// configuration file.
//
//	               UDP port                        admin socket
//	                  │                                 │
//	   ┌──────────────┴──────────────┐     /metrics /retention /status /explain
//	forward ── QUIC of no leg ──► control               │
//	legs, sessions  ◄── NewSession ── register, open ──►│ counters
//	                                  │
//	                  presence, limit, account, geoip
//
// What the relay holds is presence and sessions, in memory, gone when they
// end. It writes nothing to disk after start.
//
// # Zero retention
//
// Before its first packet the relay gives up, for good and on every thread, what it
// could keep or pass on payload with (package lockdown, retention.go); with
// lockdown: require it does not start where the kernel can't hold that. What it may
// still do then is what its configuration needs: read its certificate's folders
// again, and ask the issuer of accounts and the resolver. Its log takes events and
// numbers only (package telemetry). What has ended leaves the heap within seconds
// (forget.go). What is held about somebody now can be asked (explain.go).
package relay
