// Package roundtrip is HTTP over a tunnel. It stands apart from package tunnel
// so that a router's agent, which needs no HTTP client, does not carry one.
package roundtrip
