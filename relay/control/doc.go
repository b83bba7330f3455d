// Package control is the relay's control plane: it authenticates routers and
// devices over QUIC, keeps routers' presence, and opens sessions.
//
// # How a session is opened
//
//	device                      relay                            router
//	   │ Open(RouterID, grant, ──► │ 1 rate limits                   │
//	   │      evidence)            │ 2 grant: signed by that RouterID,│
//	   │                           │   for this connection's key, now │
//	   │                           │ 3 router present, has not taken it back
//	   │                           │ 4 evidence: proofs, source, account
//	   │                           │   → allow, step_up or deny       │
//	   │                           │ 5 room; session: two unbound legs│
//	   │                           │ Incoming(leg, device, grant, ──► │ checks all of it again,
//	   │                           │          vouched)                │ binds its leg
//	   │ ◄── Opened(leg, secret)   │ ◄────────────────────── Accept   │
//	   │ binds its leg, and speaks QUIC with the router from then on  │
//	   │ its leg moves             │ judges again                     │
//	   │                           │ Moved(leg, vouched) ───────────► │ judges again
//
// Each request is a stream of its own, opened by whoever asks. The relay asks
// routers in the same way: a stream for each Incoming and each Moved, so that one
// slow answer holds up nobody else's.
//
// Identities are the Ed25519 keys of the peers' self-signed certificates; TLS
// proves that the peer has them. There is no database: a grant carries all
// that the relay must know, and a RouterID vouches for its own key.
//
// An address that has not proved itself gets no answer larger than its question:
// a QUIC Retry, or word that the relay does not speak its version.
//
// # How an environment is judged
//
// The grant says what it demands; see package auth/ecv. The device's proofs count
// on its own control connection only. The relay adds what it sees itself: the
// source's network, its autonomous system and country from files, and the
// account: that of an ID token, if there is an account system and the token was
// issued for the device's key, else the key. Only an account costs time, as its
// issuer may have to be asked: five seconds at most, without it then.
//
//	verdict  the session
//	allow    is opened
//	step_up  is opened, and limited in bytes and time to what a confirmation takes
//	deny     is refused, with reasons
//	none     is opened: the grant demands nothing
//
// The router gets names of what the relay saw, whatever the verdict: it learns
// from them, and it has the last word.
//
// A session is judged again when its device has an address in another network
// than before; where its control connection came from counts as the first. What
// was claimed at the open is not claimed again. A worse verdict limits or ends the
// session, when the router has had two seconds to tell the device. A better one
// changes nothing: for that there is a new open.
//
// # What is kept
//
// Nothing on disk. Of an open the relay keeps, as long as the session lives, what
// judging it again takes: the grant's policy and what it accepts, which proofs
// were good, the observation key, and the network. All of it is wiped with the
// session. Proofs and tokens are gone when the open is answered. Which grants a
// router has taken back is kept for half a day after it has left, and a hash to know
// the router by, see departed.go.
//
// A device may ask what is held about it, and have its sessions ended; the relay
// signs that it has (Inspect, Held). Counts of its requests, for the rate
// limits, are kept by hashes and go by themselves within half a minute. The relay's
// operator may ask for all that is held about somebody, see explanation.go.
package control
