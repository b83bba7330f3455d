// Package login gets a device an account token: an OpenID Connect ID token that
// is bound to the device's key, by the device authorization flow (RFC 8628). A
// person approves the login in a browser, on whatever machine has one.
//
//  1. Ask the issuer for its metadata (OpenID Connect Discovery 1.0).
//  2. Ask it for a code (RFC 8628, section 3.1), with the nonce that stands for the device's key.
//  3. Show the person where to type the code.
//  4. Ask, every few seconds, whether it has been typed (section 3.4).
//  5. Check the token: signature, issuer, audience, time, and that it has the nonce.
//
// The nonce in step 2 is a parameter that RFC 8628 does not have. Keycloak knows
// it; with an issuer that does not, step 5 fails, and there is no token that a
// relay would take.
//
// The relay names the issuer, and the issuer the rest, so neither is trusted with
// where requests go: only https is spoken, and only with addresses of the
// internet. An issuer on this machine is for a relay that is there, too; see
// Config.Local. What the issuer answers is bounded, and what it wants shown is
// checked before a terminal gets it.
package login
