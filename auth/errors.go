package auth

import "errors"

// Errors of identity files.
var (
	// ErrIdentity means that the bytes are no identity that Lethe can use.
	// The wrapping error says what is wrong; none holds key bytes.
	ErrIdentity = errors.New("the identity file can't be used")
)

// Errors of a typed or copied RouterID or DeviceID.
var (
	// ErrIDLength means that characters are missing or too many.
	ErrIDLength = errors.New("the ID has the wrong length")
	// ErrIDCharacter means that a character is no letter or digit of an ID.
	ErrIDCharacter = errors.New("the ID holds a character that no ID has")
	// ErrIDTypo means that the check characters do not match the rest.
	ErrIDTypo = errors.New("the ID holds a typing error")
	// ErrIDKind means that a router's ID was given for a device's, or the reverse.
	ErrIDKind = errors.New("the ID is of the other kind")
)

// Errors of the key that a TLS peer presented. See also [KeyMismatchError].
var (
	// ErrPeerNoCertificate means that the peer presented no certificate.
	ErrPeerNoCertificate = errors.New("the peer presented no certificate, so it has no identity: " +
		"both ends of a Lethe connection must present one")
	// ErrPeerKeyType means that the certificate's key is not an Ed25519 key.
	ErrPeerKeyType = errors.New("the peer's certificate holds no Ed25519 key: " +
		"routers and devices are identified by Ed25519 keys only")
)

// Reasons why a grant is refused. All are final for the bytes at hand, except
// [ErrGrantNotYetValid], which time heals.
var (
	// ErrGrantMalformed means that the bytes are not a grant as [Issue] writes it.
	ErrGrantMalformed = errors.New("the grant is malformed: pair the device again to get a new one")
	// ErrGrantKeyType means that a key other than Ed25519 is in the grant.
	ErrGrantKeyType = errors.New("the grant holds a key that is not Ed25519: pair the device again to get a new one")
	// ErrGrantSignature means that the router's key did not sign these bytes.
	ErrGrantSignature = errors.New("the grant's signature is wrong, so it was altered or forged: " +
		"pair the device again to get a new one")
	// ErrGrantWrongRouter means that another router's key signed the grant.
	ErrGrantWrongRouter = errors.New("the grant was signed by another router: use the grant of the router that was asked for")
	// ErrGrantWrongDevice means that the grant names another device's key.
	ErrGrantWrongDevice = errors.New("the grant belongs to another device: grants can't be moved, so pair this device too")
	// ErrGrantExpired means that the grant's time is over.
	ErrGrantExpired = errors.New("the grant has expired: pair the device again to get a new one")
	// ErrGrantNotYetValid means that the grant's time has not begun, even with
	// [NotBeforeSkew] allowed.
	ErrGrantNotYetValid = errors.New("the grant is not valid yet: check the clocks of the router and of this machine")
	// ErrGrantValidity means that the grant's times make no sense.
	ErrGrantValidity = errors.New("the grant's validity must be a span of time that ends before the year 10000")
	// ErrGrantRole means that the grant does not name exactly one known role.
	ErrGrantRole = errors.New("the grant must name exactly one role: owner, admin or guest")
	// ErrGrantServices means that the list of services is absent or wrong.
	ErrGrantServices = errors.New("the grant must list the services it allows: " +
		"names of small letters, digits and '-', or '*' alone for all")
	// ErrGrantPolicy means that the policy for environments makes no sense, or
	// that environments are accepted by none, or not as Lethe writes them.
	ErrGrantPolicy = errors.New("the grant's environment policy can't be used: " +
		"mend the policy of the router, then pair the device again")
	// ErrGrantTooLarge means that [Issue] would have to write more than
	// [MaxGrantSize] bytes.
	ErrGrantTooLarge = errors.New("the grant would have more than 4096 bytes: " +
		"list fewer services, or forget environments that are no longer used")
	// ErrGrantUnknownCritical means that the grant sets a condition that this
	// version does not know, and so can't check.
	ErrGrantUnknownCritical = errors.New("the grant sets a condition that this version does not know: update Lethe")
	// ErrGrantExtension means that the grant carries SSH extensions.
	ErrGrantExtension = errors.New("the grant carries SSH extensions, and a grant has none: " +
		"pair the device again to get a new one")
)

// Errors of what a person pastes: relay URLs and pairing URIs. Their text
// never repeats the value of a token, a secret or a pin.
var (
	// ErrRelayURL means that the text is not a relay URL.
	ErrRelayURL = errors.New("not a relay URL")
	// ErrPairingURI means that the text is not a pairing URI.
	ErrPairingURI = errors.New("not a pairing URI")
	// ErrGotPairingURI means that a pairing URI was given for a relay URL.
	ErrGotPairingURI = errors.New("this is a pairing URI, for `lethe pair`: " +
		"what belongs here is the relay's own URL, as `lethe-relay url` prints it")
	// ErrGotRelayURL means that a relay URL was given for a pairing URI.
	ErrGotRelayURL = errors.New("this is a relay's own URL, for `lethe-agent init`: " +
		"what belongs here is a pairing URI, as `lethe-agent pair` prints it")
	// ErrToken means that the text is not an enrolment token.
	ErrToken = errors.New("not an enrolment token")
)

// Reasons why a pairing proof is refused. All but [ErrPairingProof] are final:
// the window never opens again.
var (
	// ErrPairingProof means that the proof is wrong and was counted as a guess.
	ErrPairingProof = errors.New("the pairing proof is wrong: check that the newest pairing URI was used")
	// ErrPairingExpired means that the time of the window is over.
	ErrPairingExpired = errors.New("the pairing URI has expired: run `lethe-agent pair` again for a new one")
	// ErrPairingUsed means that a device has been paired with this URI.
	ErrPairingUsed = errors.New("the pairing URI has been used: run `lethe-agent pair` again for a new one")
	// ErrPairingClosed means that there were [MaxPairingGuesses] wrong proofs,
	// or that the router closed the window.
	ErrPairingClosed = errors.New("pairing is closed, by the router or after too many wrong proofs: " +
		"run `lethe-agent pair` again for a new pairing URI")
)

// Reasons why a receipt is not to be relied upon.
var (
	// ErrReceiptMalformed means that it is not a receipt as [SignReceipt] writes it.
	ErrReceiptMalformed = errors.New("the receipt is malformed: ask for the erasure again to get a new one")
	// ErrReceiptSignature means that the party's key did not sign what it says.
	ErrReceiptSignature = errors.New("the receipt was not signed by the party that it names, or was altered: " +
		"ask for the erasure again to get a new one")
)
