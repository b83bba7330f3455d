// Package issuerhttp is how relay and device speak HTTP with an OpenID provider:
// over TLS, unless it is on this machine, and reading a bounded amount. Metadata
// may name endpoints on other hosts, as large providers do; a redirect stays on
// the host that was asked.
//
// A relay's operator has chosen its issuer. A device has not: the relay tells it
// where to log in. So a device asks through [Outward], and an issuer can't have
// it send requests to what only the device can reach.
package issuerhttp
