package pin

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	for pin, good := range map[string]bool{
		"493817":                 true,
		"112233":                 true,
		"123457":                 true,
		"correct horse":          true,
		"пароль":                 true,
		strings.Repeat("x4", 32): true,
		strings.Repeat("ж4", 21): true,
		"":                       false,
		"49381":                  false,
		"парол":                  false, // ten bytes, and five characters
		strings.Repeat("x4", 33): false,
		strings.Repeat("ж4", 22): false, // 44 characters, and 66 bytes
		"000000":                 false,
		"aaaaaaaa":               false,
		"123456":                 false,
		"987654":                 false,
		"abcdefgh":               false,
		"567890":                 false,
		"432109":                 false,
		"135791":                 false,
		"4938\x0017":             false,
		"4938\n17":               false,
		"4938\u202e17":           false,
		"4938\xff17":             false,
	} {
		path := filepath.Join(t.TempDir(), "pin.json")
		if acceptable(pin) != good {
			t.Errorf("%q: acceptable is %t", pin, !good)
		}
		if good {
			continue
		}
		if err := Set(path, pin, rand.Reader); !errors.Is(err, ErrWeak) {
			t.Errorf("%q: %v, want ErrWeak", pin, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%q was written", pin)
		}
	}
}

// A generator of random numbers that fails gives no PIN with a weak salt.
func TestSetWithoutRandomness(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pin.json")
	if err := Set(path, "493817", bytes.NewReader(make([]byte, saltSize-1))); err == nil {
		t.Error("a PIN was set")
	}
	if _, err := load(path); !errors.Is(err, ErrNotSet) {
		t.Error(err)
	}
}
