package auth

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"sync"
	"time"
)

const (
	// PairingLifetime is how long a pairing URI is good for.
	PairingLifetime = 10 * time.Minute
	// MaxPairingGuesses is how many wrong proofs close the window: it is still
	// open after the fourth, and closed to everybody after the fifth.
	MaxPairingGuesses = 5

	// Labels of the TLS exporter (RFC 8446 section 7.5). Two, because the
	// binding proves and the secret stays.
	exporterPairingBinding = "EXPORTER-lethe-pairing-binding-v1"
	exporterPairingSecret  = "EXPORTER-lethe-pairing-secret-v1"

	labelPairingProof  = "lethe pairing proof v1"
	labelPairingSecret = "lethe pairing secret v1"
)

// PairingExporter holds the values that both ends of one tunnel, and nobody
// else, draw from its TLS handshake.
type PairingExporter struct {
	Binding [32]byte // ties a proof to this tunnel
	Secret  [32]byte // becomes part of the pairing secret
}

// ExportPairing draws the exporter values of a tunnel whose handshake is
// complete.
func ExportPairing(cs tls.ConnectionState) (e PairingExporter, err error) {
	if err := export(cs, exporterPairingBinding, e.Binding[:]); err != nil {
		return PairingExporter{}, err
	}
	if err := export(cs, exporterPairingSecret, e.Secret[:]); err != nil {
		return PairingExporter{}, err
	}
	return e, nil
}

func export(cs tls.ConnectionState, label string, dst []byte) error {
	if !cs.HandshakeComplete {
		return fmt.Errorf("draw pairing values: the TLS handshake is not complete")
	}
	b, err := cs.ExportKeyingMaterial(label, nil, len(dst))
	if err != nil {
		return fmt.Errorf("draw pairing values from TLS: %w", err)
	}
	copy(dst, b)
	return nil
}

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

// NewPairingWindow opens a window for the secret of a new [PairingURI]. A
// secret must never be given to two windows.
func NewPairingWindow(router RouterID, secret OneTimeSecret, now time.Time) *PairingWindow {
	return &PairingWindow{router: router, secret: secret, end: now.Add(PairingLifetime)}
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
