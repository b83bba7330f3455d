// Package ecv judges the environment that a device is in: it turns evidence
// into tags, tags into findings, and findings into a verdict with reasons.
//
// It is pure, like package auth: it opens no socket and no file, reads no clock
// and needs no randomness. The same input always gives the same output, and no
// input is changed or kept.
//
// # Features
//
//	number  name     value                                                            who shows it
//	0       account  0 ‖ device key (32), or 1 ‖ length ‖ issuer ‖ length ‖ subject   relay
//	1       wifi     SSID's length (1) ‖ SSID (1 to 32) ‖ BSSID (6, zero: not known)  device
//	2       geo      S2 cell ID of level 10 (8)                                       device
//	3       net      the source's network: IPv4 /20 (4) or IPv6 /40 (16)              relay
//	4       asn      number of the autonomous system (4)                              relay
//	5       country  ISO 3166-1 alpha-2, capital letters (2)                          relay
//
// Sizes in parentheses are in bytes, numbers are big-endian, lengths have 4
// bytes unless another size is given. The bits of a network behind its prefix
// are zero. Wifi and geo are claimed: the device proves them. The relay vouches
// for the rest.
//
// # Tags
//
// Device and router share a pairing secret of 32 bytes, which nobody else
// knows. ‖ joins bytes, 0 is one zero byte, and feature is the number above in
// one byte. For claimed features:
//
//	tag     = HMAC-SHA256(pairing secret, "lethe ecv tag v1" ‖ 0 ‖ feature ‖ value)
//	tag key = the Ed25519 key whose seed (RFC 8032 section 5.1.5) is the tag
//	TagID   = first 16 bytes of SHA-256("lethe ecv claimed id v1" ‖ 0 ‖ feature ‖ public tag key)
//
// The tag stays where the pairing secret is. For vouched features the device
// lends its relay a key:
//
//	observation key = HMAC-SHA256(pairing secret, "lethe ecv observation key v1" ‖ 0)
//	observation     = HMAC-SHA256(observation key, "lethe ecv observation v1" ‖ 0 ‖ feature ‖ value)
//	TagID           = first 16 bytes of SHA-256("lethe ecv vouched id v1" ‖ 0 ‖ observation)
//
// # Proofs
//
// A claimed feature leaves the device as a proof of 104 bytes:
//
//	offset  size
//	0       8   when it was seen, Unix seconds
//	8       32  public tag key
//	40      64  Ed25519 signature, by the tag key, of
//	            "lethe ecv proof v1" ‖ 0 ‖ feature ‖ seen (8) ‖ binding (32) ‖ RouterID (32)
//
// The binding comes from the TLS exporter of the device's control connection.
// So a relay checks a proof against the grant, yet can show it nowhere else: not
// on another connection, not at another relay, not for another router, not
// later. A proof counts for the policy's max_age, and at most two minutes before
// its time. Its key counts only if its TagID is accepted, so a key that makes
// signatures match anything is of no use.
//
// # What a grant holds
//
// Accepted, in bytes, is 0 to 128 entries of feature (1) ‖ TagID (16), strictly
// ascending. A router that learns a place accepts the TagIDs of its cell and of
// the neighbours of that, so a border near by does not matter; a device proves
// its own cell only.
//
// A policy is one line of at most 1024 bytes. Each has one spelling: fields and
// features in this order, services by name, numbers without zeros in front, a
// weight of 0 left out.
//
//	policy  = "weights=" weight *("," weight) " allow=" number " step_up=" number
//	          [" mandatory=" set] " max_age=" number *16(" service=" name ":" number [":" set])
//	weight  = feature ":" number
//	set     = feature *("," feature)
//
// as in
//
//	weights=account:20,wifi:40,geo:20,net:20 allow=60 step_up=20 max_age=3600 service=ssh:80:wifi
//
// A weight is at most 100, and max_age 1 to 2592000 seconds. A service's fields
// are its name, its own allow and its own mandatory set. Each allow is more than
// net, asn and country weigh together, since a relay that lies could reach that,
// and at most the weight of all features. step_up is at most allow. A mandatory
// feature has a weight: what has none, no device needs to show.
//
// # Scoring
//
// The score is the weight of all features that are matched. The verdict is
//
//	allow    if score >= allow, each mandatory feature is matched, and geo is not impossible
//	step_up  else, if score >= step_up
//	deny     else
//
// A stream is judged by its service's demand, or by the policy's own if the
// service has none; a session by the best that any granted service would get.
// More matches never make a verdict worse.
//
// # Reasons
//
// For each feature that has a weight, its name and its state:
//
//	..._missing        nothing was shown
//	..._invalid        malformed, or a wrong proof
//	..._stale          seen longer than max_age ago, or in the future
//	..._unknown        not among what is accepted
//	..._matched        accepted
//
// geo has one state more, named whether it has a weight or not:
//
//	impossible_travel  nobody could have got there since the last time; see [TooFar]
//
// Then, if they apply:
//
//	mandatory_missing  a mandatory feature is not matched
//	score_low          the score is less than allow
//	nothing_learned    the grant accepts no environment yet; not from a verdict, see [NothingLearned]
//	relay_limited      the relay limits the session to a step-up; not from a verdict, see [RelayLimited]
//	evidence_due       the device has another network: fresh evidence is wanted; not from a verdict
//
// # What it stops, and what not
//
// ECV stops somebody who has a stolen key and grant but neither the pairing
// secret nor the place; and it stops what was recorded from being played again.
// It does not stop somebody who uses the device where it usually is, nor
// somebody who holds all of its files: with the pairing secret, the accepted
// networks and places can be found by trial, and any program can claim them. A
// device's word on its surroundings is as good as the device. A relay that lies
// can match net, asn and country, and an account that it is asked to check, or
// skip the check altogether; so the first three are never enough, and the
// router judges again. ECV is one more lock, not a replacement for the others.
//
// # Who learns what
//
//	device  all of its own evidence
//	router  evidence in clear, through the tunnel, where the relay can't read it
//	relay   the source address and the account, which it sees in any case; that a
//	        proof's tag is the same as before, or accepted; no name and no place
//	thief   of a grant: how many values of each feature are accepted; nothing about them
//
// A relay holds the observation key while the session lives. With it and a grant
// it could find by trial which networks, systems and countries are accepted, and
// which account; without it nobody can.
package ecv
