// Package limit bounds what any one address or identity can ask of the relay.
// Time is always given by the caller, memory is bounded whatever the number of
// keys that an attacker makes up, and nothing is kept longer than it counts.
//
// The keys themselves are not kept, only hashes of them under a seed that the
// process has made up. So the relay can say what is counted for an address that it
// is asked about, and can't list the addresses. Whoever reads its memory can do the
// same: try addresses. That hides identities, which are too many to be tried, and
// IPv4 addresses from a glance only.
package limit
