package pin

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/statefile"
)

// TestSetAndCheck is the one test with the real parameters.
func TestSetAndCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pin.json")
	c := open(t, path)
	if err := c.Check(phone, "493817", time.Now()); !errors.Is(err, ErrNotSet) {
		t.Errorf("without a PIN: %v", err)
	}
	if err := Set(path, "493817", rand.Reader); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(phone, "493818", time.Now()); !errors.Is(err, ErrWrong) {
		t.Errorf("a wrong PIN: %v", err)
	}
	if err := c.Check(phone, "493817", time.Now()); err != nil {
		t.Errorf("the PIN: %v", err)
	}
	for _, name := range []string{path, triesPath(path)} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		data, err := os.ReadFile(name)
		if err != nil || strings.Contains(string(data), "49381") {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}

// Two routers with one PIN have nothing in common that shows it.
func TestSaltIsDrawn(t *testing.T) {
	var seen [2]*hashed
	for i := range seen {
		path := filepath.Join(t.TempDir(), "pin.json")
		if err := Set(path, "493817", rand.Reader); err != nil {
			t.Fatal(err)
		}
		var err error
		if seen[i], err = load(path); err != nil {
			t.Fatal(err)
		}
	}
	if string(seen[0].Salt) == string(seen[1].Salt) || string(seen[0].Hash) == string(seen[1].Hash) {
		t.Error("salts or hashes are equal")
	}
}

func TestParse(t *testing.T) {
	salt := base64.StdEncoding.EncodeToString(make([]byte, saltSize))
	hash := base64.StdEncoding.EncodeToString(make([]byte, hashSize))
	doc := func(algorithm string, memory, time, threads any, salt, hash string) string {
		return fmt.Sprintf(`{"algorithm":%q,"memory_kib":%v,"time":%v,"threads":%v,"salt":%q,"hash":%q}`,
			algorithm, memory, time, threads, salt, hash)
	}
	for text, good := range map[string]bool{
		doc("argon2id", 19456, 2, 1, salt, hash):         true,
		doc("argon2id", 65536, 16, 4, salt, hash):        true,
		doc("argon2id", 8, 1, 1, salt, hash):             true,
		doc("argon2i", 19456, 2, 1, salt, hash):          false,
		doc("argon2id", 65537, 2, 1, salt, hash):         false,
		doc("argon2id", uint32(1)<<31, 2, 1, salt, hash): false,
		doc("argon2id", 7, 2, 1, salt, hash):             false,
		doc("argon2id", 19456, 17, 1, salt, hash):        false,
		doc("argon2id", 19456, 0, 1, salt, hash):         false,
		doc("argon2id", 19456, 2, 0, salt, hash):         false,
		doc("argon2id", 19456, 2, 5, salt, hash):         false,
		doc("argon2id", 19456, 2, 256, salt, hash):       false,
		doc("argon2id", -1, 2, 1, salt, hash):            false,
		doc("argon2id", 19456, 2, 1, "", hash):           false,
		doc("argon2id", 19456, 2, 1, salt, ""):           false,
		doc("argon2id", 19456, 2, 1, salt, salt):         false,
		`{}`:                                             false,
		`null`:                                           false,
		``:                                               false,
	} {
		if _, err := parse([]byte(text)); good != (err == nil) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What can't be read is no PIN, and refuses everybody.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pin.json")
	cheapPIN(t, path, "493817")
	c := open(t, path)
	for _, name := range []string{path, triesPath(path)} {
		if err := statefile.Write(name, []byte(`{"salt":"`)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("%s: opened with %v", name, err)
		}
		if name == path {
			if err := c.Check(phone, "493817", time.Now()); err == nil || !strings.Contains(err.Error(), "lethe-agent pin") {
				t.Errorf("checked with %v", err)
			}
			cheapPIN(t, path, "493817")
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(phone, "493817", time.Now()); !errors.Is(err, statefile.ErrNotPrivate) {
		t.Errorf("a file for everybody: %v", err)
	}
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pin.json")
	if err := Remove(path); !errors.Is(err, ErrNotSet) {
		t.Errorf("without a PIN: %v", err)
	}
	cheapPIN(t, path, "493817")
	c := open(t, path)
	if err := c.Check(phone, "wrong!", time.Now()); !errors.Is(err, ErrWrong) {
		t.Fatal(err)
	}
	if err := Remove(path); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	if err := c.Check(phone, "493817", time.Now()); !errors.Is(err, ErrNotSet) {
		t.Errorf("after removal: %v", err)
	}
}
