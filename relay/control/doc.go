// Package control is the relay's control plane: it authenticates routers and
// devices over QUIC, keeps routers' presence, and opens sessions.
//
// # How a session is opened
//
//	device                      relay                            router
//	   │ Open(RouterID, grant) ──► │ 1 rate limits                   │
//	   │                           │ 2 grant: signed by that RouterID,│
//	   │                           │   for this connection's key, now │
//	   │                           │ 3 router present, has not taken it back
//	   │                           │ 4 room; session: two unbound legs│
//	   │                           │ Incoming(leg, device, grant) ──► │ checks all of it again,
//	   │                           │                                  │ binds its leg
//	   │ ◄── Opened(leg, secret)   │ ◄────────────────────── Accept   │
//	   │ binds its leg, and speaks QUIC with the router from then on  │
//
// Each request is a stream of its own, opened by whoever asks. The relay asks
// routers in the same way: a stream for each Incoming, so that one slow answer
// holds up nobody else's.
//
// Identities are the Ed25519 keys of the peers' self-signed certificates; TLS
// proves that the peer has them. There is no database: a grant carries all
// that the relay must know, and a RouterID vouches for its own key.
//
// An address that has not proved itself gets no answer larger than its question:
// a QUIC Retry, or word that the relay does not speak its version.
package control
