package auth

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// PairingLifetime is how long a pairing URI is good for that the router
	// shows. An invitation says itself how long it lives.
	PairingLifetime = 10 * time.Minute
	// MaxPairingGuesses is how many wrong proofs close the window: it is still
	// open after the fourth, and closed to everybody after the fifth.
	MaxPairingGuesses = 5

	labelPairingProof  = "lethe pairing proof v1"
	labelPairingSecret = "lethe pairing secret v1"
)

// PairingProof returns what the device sends to show that it knows the
// one-time secret. It fits one tunnel, one device key and one router: whoever
// sees it can use it nowhere else.
func PairingProof(secret OneTimeSecret, binding [32]byte, device ed25519.PublicKey, router RouterID) [32]byte {
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(append([]byte(labelPairingProof), 0))
	mac.Write(binding[:])
	mac.Write(device)
	mac.Write(router[:])
	return [32]byte(mac.Sum(nil))
}

// PairingSecret returns the long-term secret that router and device keep: HKDF
// of the tunnel's exporter value, salted with the one-time secret. Neither the
// tunnel's keys nor a photograph of the QR code is enough to find it.
func PairingSecret(secret OneTimeSecret, exporter [32]byte) [32]byte {
	key, err := hkdf.Key(sha256.New, exporter[:], secret[:], labelPairingSecret, 32)
	if err != nil {
		panic(err) // only for more than 255 × 32 bytes, RFC 5869 section 2.3
	}
	return [32]byte(key)
}

// PairingWindow is the router's side of one pairing URI, from the moment it is
// shown. It accepts one right proof, once, in time, before too many wrong ones.
//
// It holds no clock: every method takes the time, and times must carry the
// monotonic reading of time.Now, so that setting the clock back does not
// lengthen the window. Methods are safe for concurrent use: of two right
// proofs that arrive together one wins, and the other gets [ErrPairingUsed].
type PairingWindow struct {
	router RouterID
	end    time.Time

	mu     sync.Mutex
	secret OneTimeSecret // guarded by mu; zero once closed is set
	wrong  int           // guarded by mu; proofs that did not match
	closed error         // guarded by mu; why the window is shut for good, nil while open
}

// NewPairingWindow opens a window for the secret of a new [PairingURI], which
// lives for [PairingLifetime] from now. A secret must never be given to two
// windows.
func NewPairingWindow(router RouterID, secret OneTimeSecret, now time.Time) *PairingWindow {
	return NewInvitationWindow(router, secret, now.Add(PairingLifetime))
}

// NewInvitationWindow opens a window that lives until end, as an invitation
// does. An end that was read from a file has no monotonic reading: then the
// wall clock alone decides when the window expires.
func NewInvitationWindow(router RouterID, secret OneTimeSecret, end time.Time) *PairingWindow {
	return &PairingWindow{router: router, secret: secret, end: end}
}

// Check decides about a proof that came through the tunnel with this binding,
// from the device whose key that tunnel's TLS handshake proved. It returns nil
// once, and the caller must then store the device: the window is used up even
// if the device never hears of it. Errors: [ErrPairingProof] while further
// guesses may follow and for the last guess itself; then [ErrPairingUsed],
// [ErrPairingClosed] or [ErrPairingExpired], whichever came first, for ever.
func (w *PairingWindow) Check(proof []byte, binding [32]byte, device ed25519.PublicKey, now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.stateLocked(now); err != nil {
		return err
	}
	want := PairingProof(w.secret, binding, device, w.router)
	if hmac.Equal(want[:], proof) && len(device) == ed25519.PublicKeySize {
		w.closeLocked(ErrPairingUsed)
		return nil
	}
	if w.wrong++; w.wrong >= MaxPairingGuesses {
		w.closeLocked(ErrPairingClosed)
	}
	return ErrPairingProof
}

// State returns nil while the window is open, and otherwise why it is shut:
// [ErrPairingUsed], [ErrPairingClosed] or [ErrPairingExpired].
func (w *PairingWindow) State(now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stateLocked(now)
}

// End returns when the window expires.
func (w *PairingWindow) End() time.Time { return w.end }

// Close shuts the window, as when its URI is no longer shown. It has no effect
// on one that is shut.
func (w *PairingWindow) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed == nil {
		w.closeLocked(ErrPairingClosed)
	}
}

func (w *PairingWindow) stateLocked(now time.Time) error {
	if w.closed == nil && !now.Before(w.end) {
		w.closeLocked(ErrPairingExpired)
	}
	return w.closed
}

func (w *PairingWindow) closeLocked(why error) {
	w.closed = why
	clear(w.secret[:])
}
