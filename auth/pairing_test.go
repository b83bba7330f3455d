package auth

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPairingVectors(t *testing.T) {
	v := readVectors[pairingVector](t, "pairing.json")
	secret, binding := OneTimeSecret(v.OneTimeSecret), [32]byte(v.Binding)
	proof := PairingProof(secret, binding, ed25519.PublicKey(v.Device), RouterID(v.RouterID))
	if !bytes.Equal(proof[:], v.Proof) {
		t.Errorf("PairingProof %x", proof)
	}
	if got := PairingSecret(secret, [32]byte(v.Exported)); !bytes.Equal(got[:], v.PairingSecret) {
		t.Errorf("PairingSecret %x", got)
	}
	if id := secret.ID(); !bytes.Equal(id[:], v.InvitationID) {
		t.Errorf("ID %x", id)
	}
	w := NewPairingWindow(RouterID(v.RouterID), secret, testTime)
	if err := w.Check(v.Proof, binding, ed25519.PublicKey(v.Device), testTime); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func TestNewOneTimeSecret(t *testing.T) {
	if _, err := NewOneTimeSecret(strings.NewReader("short")); err == nil {
		t.Error("a secret was made of 5 bytes")
	}
	s, err := NewOneTimeSecret(strings.NewReader("sixteen bytes in"))
	if err != nil || string(s[:]) != "sixteen bytes in" {
		t.Errorf("%q, %v", s, err)
	}
}

// pairingCase is one open window and what a device would send to it.
type pairingCase struct {
	window  *PairingWindow
	binding [32]byte
	device  ed25519.PublicKey
	right   []byte
	wrong   []byte
}

func newPairingCase(t testing.TB) pairingCase {
	router, device := identityOf(t, 1).RouterID(), identityOf(t, 2).PublicKey()
	secret, binding := OneTimeSecret{1, 2, 3}, [32]byte{4, 5, 6}
	proof := PairingProof(secret, binding, device, router)
	return pairingCase{NewPairingWindow(router, secret, testTime), binding, device, proof[:], make([]byte, 32)}
}

func (c pairingCase) try(proof []byte, after time.Duration) error {
	return c.window.Check(proof, c.binding, c.device, testTime.Add(after))
}

func TestPairingIsSingleUse(t *testing.T) {
	c := newPairingCase(t)
	wantRefusal(t, c.try(c.right, 0), nil)
	wantRefusal(t, c.try(c.right, 0), ErrPairingUsed)
	wantRefusal(t, c.try(c.wrong, 0), ErrPairingUsed)
	wantRefusal(t, c.try(c.right, 2*PairingLifetime), ErrPairingUsed)
	c.window.Close()
	wantRefusal(t, c.window.State(testTime), ErrPairingUsed)
}

func TestPairingClosesAtTheFifthWrongProof(t *testing.T) {
	for guesses, want := range []error{0: nil, 1: nil, 4: nil, 5: ErrPairingClosed, 6: ErrPairingClosed} {
		c := newPairingCase(t)
		for n := range guesses {
			err := ErrPairingProof
			if n >= MaxPairingGuesses {
				err = ErrPairingClosed
			}
			wantRefusal(t, c.try(c.wrong, 0), err)
		}
		wantRefusal(t, c.window.State(testTime), want)
		wantRefusal(t, c.try(c.right, 0), want)
	}
}

func TestPairingExpires(t *testing.T) {
	c := newPairingCase(t)
	if !c.window.End().Equal(testTime.Add(PairingLifetime)) {
		t.Errorf("End: %v", c.window.End())
	}
	wantRefusal(t, c.try(c.right, PairingLifetime-1), nil)
	c = newPairingCase(t)
	wantRefusal(t, c.try(c.right, PairingLifetime), ErrPairingExpired)
	wantRefusal(t, c.try(c.right, 0), ErrPairingExpired) // setting the clock back opens nothing
}

// An invitation lives as long as it says, and no longer.
func TestInvitationExpires(t *testing.T) {
	const life = 48 * time.Hour
	open := func() pairingCase {
		c := newPairingCase(t)
		c.window = NewInvitationWindow(c.window.router, c.window.secret, testTime.Add(life))
		return c
	}
	c := open()
	if !c.window.End().Equal(testTime.Add(life)) {
		t.Errorf("End: %v", c.window.End())
	}
	wantRefusal(t, c.try(c.wrong, 2*PairingLifetime), ErrPairingProof)
	wantRefusal(t, c.try(c.right, life-1), nil)
	wantRefusal(t, c.try(c.right, life-1), ErrPairingUsed)
	c = open()
	wantRefusal(t, c.try(c.right, life), ErrPairingExpired)
}

func TestPairingWindowCanBeClosed(t *testing.T) {
	c := newPairingCase(t)
	wantRefusal(t, c.window.State(testTime), nil)
	c.window.Close()
	c.window.Close()
	wantRefusal(t, c.try(c.right, 0), ErrPairingClosed)
}

func TestPairingForgetsTheSecret(t *testing.T) {
	for name, end := range map[string]func(pairingCase){
		"used":    func(c pairingCase) { _ = c.try(c.right, 0) },
		"expired": func(c pairingCase) { _ = c.window.State(testTime.Add(PairingLifetime)) },
		"closed":  func(c pairingCase) { c.window.Close() },
	} {
		c := newPairingCase(t)
		if end(c); c.window.secret != (OneTimeSecret{}) {
			t.Errorf("%s: the secret is still in memory", name)
		}
		zero := PairingProof(OneTimeSecret{}, c.binding, c.device, c.window.router)
		if c.try(zero[:], 0) == nil {
			t.Errorf("%s: a proof of the wiped secret opens the window", name)
		}
	}
}

func TestPairingProofFitsOnePlaceOnly(t *testing.T) {
	for name, change := range map[string]func(*pairingCase){
		"another tunnel":     func(c *pairingCase) { c.binding[0]++ },
		"another device":     func(c *pairingCase) { c.device = identityOf(t, 3).PublicKey() },
		"another router":     func(c *pairingCase) { c.window.router[0]++ },
		"another secret":     func(c *pairingCase) { c.window.secret[0]++ },
		"an empty proof":     func(c *pairingCase) { c.right = nil },
		"a proof cut short":  func(c *pairingCase) { c.right = c.right[:31] },
		"a lengthened proof": func(c *pairingCase) { c.right = append(c.right, 0) },
		"a key of no length": func(c *pairingCase) {
			proof := PairingProof(OneTimeSecret{1, 2, 3}, c.binding, nil, c.window.router)
			c.device, c.right = nil, proof[:]
		},
	} {
		c := newPairingCase(t)
		change(&c)
		if err := c.try(c.right, 0); !errors.Is(err, ErrPairingProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyOneOfManyRightProofsWins(t *testing.T) {
	c := newPairingCase(t)
	const n = 16
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = c.try(c.right, 0) })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, ErrPairingUsed) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d devices were paired with one URI", won)
	}
}

// Whatever happens in whatever order: at most one device gets in, none after
// five wrong proofs or the lifetime, and what is shut stays shut for the same
// reason.
func TestPairingWindowAsAModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newPairingCase(t)
		var at time.Duration
		var wrong int
		var shut error
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			at += time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(rt, "wait"))
			right := rapid.IntRange(0, 3).Draw(rt, "right") == 0
			want, proof := ErrPairingProof, c.wrong
			if right {
				want, proof = nil, c.right
			}
			if shut == nil && at >= PairingLifetime {
				shut = ErrPairingExpired
			}
			if shut != nil {
				want = shut
			} else if right {
				shut = ErrPairingUsed
			} else if wrong++; wrong == MaxPairingGuesses {
				shut = ErrPairingClosed
			}
			if err := c.try(proof, at); !errors.Is(err, want) {
				rt.Fatalf("after %v and %d wrong proofs: %v, want %v", at, wrong, err, want)
			}
		}
	})
}
