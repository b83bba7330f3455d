package pin

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/crypto/argon2"

	"github.com/lethe-relay/lethe/internal/statefile"
)

// What new PINs are hashed with: argon2id as the OWASP Password Storage Cheat
// Sheet lists it for 19 MiB, which a router with 64 MiB can spare for a moment.
// They are stored with the hash, so that they can change.
const (
	newMemory  = 19 << 10 // KiB
	newTime    = 2        // passes
	newThreads = 1
	saltSize   = 16 // bytes, RFC 9106 section 4
	hashSize   = 32 // bytes
)

// What a file may ask of the router. The least is that of RFC 9106 section 3.1,
// where the package argon2 would panic or raise it by itself.
const (
	maxMemory  = 64 << 10 // KiB
	maxTime    = 16       // passes
	maxThreads = 4

	algorithm = "argon2id"
)

// hashed is the content of pin.json.
type hashed struct {
	Algorithm string `json:"algorithm"`
	Memory    uint32 `json:"memory_kib"`
	Time      uint32 `json:"time"`
	Threads   uint8  `json:"threads"`
	Salt      []byte `json:"salt"`
	Hash      []byte `json:"hash"`
}

// Set makes pin the router's PIN, in the file at path. A PIN that is too easy
// gives [ErrWeak]. rand must be [crypto/rand.Reader] outside tests. A [Checker]
// of the same path, in this program or another, sees it at its next check.
func Set(path, pin string, rand io.Reader) error {
	if !acceptable(pin) {
		return ErrWeak
	}
	h := hashed{Algorithm: algorithm, Memory: newMemory, Time: newTime, Threads: newThreads, Salt: make([]byte, saltSize)}
	if _, err := io.ReadFull(rand, h.Salt); err != nil {
		return fmt.Errorf("make a salt for the PIN: %w", err)
	}
	h.Hash = h.of(pin)
	data, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	return statefile.Write(path, append(data, '\n'))
}

// Remove takes the router's PIN away, and with it the tries. Without a PIN it
// returns [ErrNotSet].
func Remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotSet
	}
	if err != nil {
		return fmt.Errorf("can't remove the PIN: %w", err)
	}
	if err := os.Remove(triesPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the PIN is removed, but not the list of wrong tries: %w", err)
	}
	return nil
}

// load reads the PIN's hash; [ErrNotSet] if there is none.
func load(path string) (*hashed, error) {
	data, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotSet
	}
	if err != nil {
		return nil, err
	}
	h, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; set the PIN again with: lethe-agent pin", path, err)
	}
	return h, nil
}

func parse(data []byte) (*hashed, error) {
	h := new(hashed)
	if err := statefile.ParseJSON(data, h); err != nil {
		return nil, err
	}
	switch {
	case h.Algorithm != algorithm:
		return nil, errors.New("its algorithm is not " + algorithm)
	case h.Threads < 1 || h.Threads > maxThreads,
		h.Time < 1 || h.Time > maxTime,
		h.Memory < 8*uint32(h.Threads) || h.Memory > maxMemory:
		return nil, errors.New("it asks for too much memory or time, or too little")
	case len(h.Salt) != saltSize || len(h.Hash) != hashSize:
		return nil, errors.New("its salt or hash has the wrong length")
	}
	return h, nil
}

// of hashes a PIN with the salt and parameters of h.
func (h *hashed) of(pin string) []byte {
	return argon2.IDKey([]byte(pin), h.Salt, h.Time, h.Memory, h.Threads, hashSize)
}

// matches compares in constant time.
func (h *hashed) matches(pin string) bool {
	return subtle.ConstantTimeCompare(h.of(pin), h.Hash) == 1
}
