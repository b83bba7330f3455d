// Package limit bounds what any one address or identity can ask of the relay.
// Time is always given by the caller, memory is bounded whatever the number of
// keys that an attacker makes up, and nothing is kept longer than it counts.
package limit
