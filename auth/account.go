package auth

import "crypto/ed25519"

const labelAccountNonce = "lethe account nonce v1"

// AccountNonce returns the nonce that a device asks an OpenID provider to put
// into its ID token (OpenID Connect Core 1.0 section 2): a hash of its public
// key, 43 characters of base64url. So a token counts beside the proof of that
// key alone, and whoever steals one has nothing.
func AccountNonce(device ed25519.PublicKey) string {
	nonce := labelled(labelAccountNonce, device)
	return encodeParam(nonce[:])
}
