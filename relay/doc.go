// Package relay is the server: it puts together the data plane (forward), the
// control plane (control) and the operator's view (admin), from one
// configuration file.
//
//	               UDP port                        admin socket
//	                  │                                 │
//	   ┌──────────────┴──────────────┐              /metrics
//	forward ── QUIC of no leg ──► control               │
//	legs, sessions  ◄── NewSession ── register, open ──►│ counters
//	                                  │
//	                  presence, limit, account, geoip
//
// What the relay holds is presence and sessions, in memory, gone when they
// end. It writes nothing to disk after start.
package relay
