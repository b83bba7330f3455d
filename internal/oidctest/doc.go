// Package oidctest is an OpenID provider for tests. The protocol is that of
// github.com/zitadel/oidc, so that what is tested has not been written by the
// same hand as its test.
//
//	GET  /.well-known/openid-configuration   discovery
//	GET  /keys                               the public key
//	POST /device_authorization               RFC 8628, section 3.1; form parameter nonce too
//	POST /oauth/token                        RFC 8628, section 3.4
//	POST /device                             what a person does in a browser: user_code, and subject or deny
//
// There is one public client, and no account needs to be made: whoever approves
// a login says whose it is. Everything is in memory.
//
// A provider runs in the test's process ([Start]), behind a handler of the test
// ([New]), or as a process of its own ([StartProcess]). [Approve] and [Deny] work
// with all of them. Tokens that no provider would issue are made with [Key.Sign],
// [Unsigned] and [HS256] from changed [Claims].
package oidctest
