// Package auth decides who is who and who may do what: identities, their
// printed names, grants, the pairing of a device with a router, and receipts
// for what was erased.
//
// It is pure. Bytes and a given time go in and a decision comes out: it opens
// no socket and no file and reads no clock. Randomness is an [io.Reader]
// parameter that must be crypto/rand.Reader outside tests. All errors can be
// told apart with errors.Is and errors.As, and none holds a key, a secret, a
// token or an address.
//
// # Identities and IDs
//
// A router and a device each are an Ed25519 key, stored as PKCS#8 PEM. In TLS
// they present a self-signed certificate, and only its key counts. Names are
// hashes of the key; ‖ joins bytes, and 0 is one zero byte:
//
//	RouterID = SHA-256("lethe router id v1" ‖ 0 ‖ key)
//	DeviceID = SHA-256("lethe device id v1" ‖ 0 ‖ key)
//	check    = first 3 bytes of SHA-256("lethe router id check v1" ‖ 0 ‖ RouterID)
//	           or of            SHA-256("lethe device id check v1" ‖ 0 ‖ DeviceID)
//	text     = base32(ID ‖ check), RFC 4648 in small letters:
//	           56 characters in 8 groups of 7, joined by dashes
//
// # Grants
//
// A grant is an OpenSSH user certificate (PROTOCOL.certkeys) of at most 4096
// bytes, signed by the router's key. Its fields, with all lengths and numbers
// big-endian, "string" being a 4-byte length and that many bytes:
//
//	string   "ssh-ed25519-cert-v01@openssh.com"
//	string   nonce, 32 random bytes
//	string   the device's public key, 32 bytes
//	uint64   serial, chosen by the router
//	uint32   1, a user certificate
//	string   key ID: the first group of the DeviceID, and nothing about a person
//	string   principals: exactly one string, the role: "owner", "admin" or "guest"
//	uint64   valid from, Unix seconds
//	uint64   valid until, Unix seconds; over at this instant; no later than year 9999
//	string   critical options: pairs of strings, a name and a string that holds
//	         the value, sorted by name; see below
//	string   extensions, empty
//	string   reserved, empty
//	string   the router's public key: string "ssh-ed25519", string 32 bytes
//	string   signature over all before it: string "ssh-ed25519", string 64 bytes
//
// The critical options are the conditions of the grant, and there are no others:
//
//	"ecv-accepted@lethe"  the environments that count: 1 to 128 entries of 17
//	                      bytes, feature and TagID, strictly ascending; only
//	                      beside a policy, and absent when there are none
//	"ecv-policy@lethe"    what is demanded of the environment (ECV): one line of
//	                      text, at most 1024 bytes; absent when nothing is
//	"services@lethe"      the list of services; always there
//
// The list of services is "*" for all, or 1 to 64 different names, sorted by
// byte and joined by commas. A name has 1 to 32 of the bytes a-z, 0-9
// and '-', the first not '-'. Policy and entries are specified in package ecv. A
// policy may speak of services that the list does not hold: that allows none.
//
// There is one encoding of each grant: whatever re-encodes to other bytes is
// refused. So are a policy that makes no sense, and unknown critical options:
// an old relay or router refuses a grant whose conditions it can't check. New
// conditions get names in "@lethe". No sshd takes a grant for a login, because
// it does not know the options either; `ssh-keygen -L` shows them in hex.
//
// # URLs and URIs
//
//	lethe://HOST[:PORT][?pin=PIN][&token=TOKEN]                  RelayURL
//	lethe://HOST[:PORT]/pair?[pin=PIN&]router=ID&secret=SECRET   PairingURI
//
// HOST is a DNS name, an IPv4 address or an IPv6 address in brackets; PORT is
// 443 when absent. Values are base64url without padding: PIN 32 bytes, SHA-256
// of the relay certificate's SubjectPublicKeyInfo; TOKEN 16; ID 32, the raw
// RouterID; SECRET 16. Parameters come in any order, each once, and no others.
// A value of all zeros is refused.
//
// # Pairing
//
// The router shows a pairing URI and opens a [PairingWindow]. The device
// connects through the relay, with the tunnel pinned to the RouterID of the
// URI, and both ends draw two values of 32 bytes from its TLS exporter
// (RFC 8446 section 7.5, empty context):
//
//	binding  = exporter("EXPORTER-lethe-pairing-binding-v1")
//	exported = exporter("EXPORTER-lethe-pairing-secret-v1")
//
// The device sends
//
//	proof = HMAC-SHA256(SECRET, "lethe pairing proof v1" ‖ 0 ‖ binding ‖ device key ‖ RouterID)
//
// The router checks it against the device key of the same TLS connection,
// closes the window and issues a grant. Both keep
//
//	pairing secret = HKDF-SHA256(key exported, salt SECRET, info "lethe pairing secret v1"), 32 bytes
//
// for the blinding of environment tags. The window lives 10 minutes, is good
// for one device, and is closed for everybody by the fifth wrong proof.
//
// # Invitations
//
// An invitation is a pairing URI for somebody else's device. Its window lives
// as long as its maker says, and is the same otherwise. It is listed and
// withdrawn by a name that does not tell the SECRET:
//
//	invitation ID = first 8 bytes of SHA-256("lethe invitation id v1" ‖ 0 ‖ SECRET)
//
// # Evidence
//
// What a device proves of its environment counts on one control connection
// only. The proofs are tied to 32 bytes that device and relay draw from its TLS
// exporter (empty context):
//
//	binding = exporter("EXPORTER-lethe-evidence-v1")
//
// # Accounts
//
// A relay may ask for an ID token (OpenID Connect Core 1.0). The device asks
// its provider to put this nonce into it, so that the token counts beside a
// proof of the same key only:
//
//	nonce = base64url without padding of SHA-256("lethe account nonce v1" ‖ 0 ‖ device key)
//
// # Receipts
//
// Router and relay each sign what they have erased about a device. A receipt is
// JSON with the fields party ("router" or "relay"), device and router (IDs as
// printed), at (RFC 3339, whole seconds), erased (at most 32 sorted words of
// a-z, 0-9 and '-'), key and signature (base64url without padding). Ed25519
// signs, "string" being a 4-byte length and that many bytes:
//
//	"lethe erasure receipt v1" ‖ 0
//	string   party
//	string   DeviceID, 32 bytes
//	string   RouterID, 32 bytes
//	string   uint64, the time in Unix seconds
//	string   each word
//
// The receipt of a router is signed by the router that it names. Whoever checks
// the receipt of a relay must know the relay's key from elsewhere.
package auth
