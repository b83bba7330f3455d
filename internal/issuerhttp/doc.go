// Package issuerhttp is how relay and device speak HTTP with an OpenID provider:
// over TLS, with that host and no other, reading a bounded amount.
package issuerhttp
