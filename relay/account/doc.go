// Package account verifies whose account a device is used with: an OpenID
// Connect ID token that the device got by logging in, and that is bound to its key.
//
// # What is verified
//
// In this order, so that what costs nothing comes first:
//
//  1. The token has at most [MaxToken] bytes and three parts. No network so far.
//  2. Its algorithm is asymmetric, and a key of the issuer's has signed it.
//  3. The issuer and the client are ours, and it is valid now (OpenID Connect Core 1.0, section 3.1.3.7).
//  4. Its nonce is the one that stands for the device's key, so that a token is of no use to another device.
//  5. It has a subject of at most 255 bytes (section 2).
//
// The check of signature, issuer, audience and time is go-oidc's.
//
// # What the issuer is asked, and when
//
// Nothing until there is a first token: a relay starts while its issuer is down.
// Then its metadata and its keys, and both again once a day, when a token comes:
// so a relay notices that the keys have moved, or that one was withdrawn. A token
// that is signed by an unknown key has the keys asked for at once. At most one
// request of each kind is under way. After a failure the metadata is not asked
// for again for [retryPause], nor are keys after anything: so whoever sends bad
// tokens can't make the relay send many requests.
//
// When the issuer does not answer after that day, its old keys stay in use until
// they are three days old ([keysLast]), and it is asked again every ten minutes.
// After that, and before it has answered for the first time, tokens are neither
// good nor bad: [ErrUnavailable].
//
// An answer has at most 256 KiB, and a request 10 s. Only https is spoken, except to the
// relay's own machine, and no redirect to another host is followed.
package account
