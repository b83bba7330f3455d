// Package yardstick is work whose amount never changes, to compare other work
// with: what a machine needs for it, it needs at this moment, with whatever else
// runs on it. A ratio of CPU times says more than either, on another machine or
// on a busy one.
//
//	Crypto    a key agreement (X25519), a signature and its check (Ed25519), 8 KiB of SHA-256
//	Datagram  1200 bytes written to a plain UDP socket and read from another, one by one
//
// All processors are at it at once, as they are when relay and endpoints run.
// Nothing in here is ours but this, so that no change to Lethe changes it.
package yardstick
