package device

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/keyfile"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/tunnel"
)

const (
	keyFile     = "device.key"
	loginsFile  = "logins.json"
	routersDir  = "routers"
	grantSuffix = "-cert.pub"
	jsonSuffix  = ".json"
)

// Store is a device's folder.
type Store struct {
	// Environment is where the evidence of its tunnels comes from. Nil shows
	// none. Set it before the first Link.
	Environment tunnel.Environment

	dir      string
	identity *auth.Identity
}

// Open reads the folder. One that is missing is an empty one: Pair makes it,
// and the device's key.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir}
	if err := s.readKey(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names, err := s.names()
	if err == nil && s.identity == nil && len(names) > 0 {
		err = fmt.Errorf("%s is missing, which is the key of the routers in %s: restore it from a backup, or remove the folder and pair again", s.keyPath(), dir)
	}
	return s, err
}

func (s *Store) keyPath() string { return filepath.Join(s.dir, keyFile) }

func (s *Store) readKey() error {
	pem, err := statefile.Read(s.keyPath())
	if err != nil {
		return err
	}
	if s.identity, err = auth.ParseIdentity(pem); err != nil {
		return fmt.Errorf("%s: %w; if there is no backup, remove the folder %s and pair again", s.keyPath(), err, s.dir)
	}
	return nil
}

// needKey makes the device's key unless there is one by now; the caller holds
// the folder's lock.
func (s *Store) needKey() error {
	err := s.readKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	id, err := keyfile.Create(s.keyPath())
	if err != nil {
		return err
	}
	s.identity = id
	return nil
}

func (s *Store) lock() (unlock func(), err error) { return statefile.Lock(s.dir) }

// Identity is the device's key; nil before the first pairing.
func (s *Store) Identity() *auth.Identity { return s.identity }

// ValidName tells whether a router can have this name here: a service's
// alphabet, since it becomes a file name and a word on command lines.
func ValidName(name string) bool { return auth.ValidService(name) }

// Pair pairs with the router of the URI and keeps it under name, or under the
// name that the router gives itself if that is empty. deviceName is what the
// router shall call this device.
//
// A router that is paired already keeps its name, and another one is refused.
// The folder is tried before the router is asked, so that a full disk does not
// cost the URI its one use. [Store.Introduce] comes next.
func (s *Store) Pair(ctx context.Context, uri auth.PairingURI, name, deviceName string) (*Router, error) {
	if err := statefile.MkdirPrivate(filepath.Join(s.dir, routersDir)); err != nil {
		return nil, err
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.needKey(); err != nil {
		return nil, err
	}
	known, err := s.nameOf(uri.Router)
	if err != nil {
		return nil, err
	}
	if err := s.checkNew(name, known, uri.Router); err != nil {
		return nil, err
	}
	if err := s.tryDisk(); err != nil {
		return nil, err
	}
	paired, err := tunnel.Pair(ctx, tunnel.PairConfig{Identity: s.identity, URI: uri, Name: deviceName})
	if err != nil {
		return nil, err
	}
	if name = cmp.Or(known, name); name == "" {
		name = s.freeName(paired.RouterName)
	}
	r := &Router{Name: name, PairedAt: time.Now().UTC().Truncate(time.Second), Router: paired.Router}
	r.Secret = paired.Secret
	if err := s.write(r); err != nil {
		return nil, err
	}
	return r, nil
}

// nameOf is the name of a router that is paired already, or empty. Documents
// that can't be read are of no router.
func (s *Store) nameOf(id auth.RouterID) (string, error) {
	names, err := s.names()
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if r, err := s.Router(name); err == nil && r.ID == id {
			return name, nil
		}
	}
	return "", nil
}

// checkNew refuses a name that another router has, and one for a router that has
// another already: scripts and habits go by it.
func (s *Store) checkNew(name, known string, id auth.RouterID) error {
	if name == "" || name == known {
		return nil
	}
	if !ValidName(name) {
		return fmt.Errorf("%q can't be a router's name: take 1 to 32 of a-z, 0-9 and -", name)
	}
	if known != "" {
		return fmt.Errorf("this router is paired already, as %q: leave --name out to pair it again, or 'lethe unpair %s' first to give it another name", known, known)
	}
	other, err := s.Router(name)
	if err == nil && other.ID != id {
		return fmt.Errorf("another router is named %q already: choose another --name, or 'lethe unpair %s' first", name, name)
	}
	if err != nil && !errors.Is(err, ErrUnknownRouter) {
		return err
	}
	return nil
}

func (s *Store) tryDisk() error {
	trial := filepath.Join(s.dir, routersDir, ".trial")
	if err := statefile.Write(trial, make([]byte, 8<<10)); err != nil {
		return err
	}
	return os.Remove(trial)
}

// freeName makes a name out of the one that the router gives itself.
func (s *Store) freeName(wanted string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-", r) {
			return r
		}
		return -1
	}, strings.ToLower(strings.ReplaceAll(wanted, " ", "-")))
	name = strings.Trim(name[:min(len(name), 24)], "-")
	if name == "" {
		name = "router"
	}
	for candidate, n := name, 2; ; n++ {
		if _, err := s.Router(candidate); errors.Is(err, ErrUnknownRouter) || n > 1000 {
			return candidate
		}
		candidate = fmt.Sprintf("%s-%d", name, n)
	}
}

// Remove forgets the router of this name, whatever state its files are in, and
// the login to its relay if no other router uses that. The device's key stays.
func (s *Store) Remove(name string) error {
	unlock, err := s.lockFor(name)
	if err != nil {
		return err
	}
	defer unlock()
	return s.remove(name)
}

// lockFor locks the folder if there is a router of this name. So asking for one
// that there is not makes no file.
func (s *Store) lockFor(name string) (unlock func(), err error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		return nil, s.unknown(name)
	}
	return s.lock()
}

func (s *Store) remove(name string) error {
	err := os.Remove(s.path(name, jsonSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return s.unknown(name)
	}
	if err != nil {
		return err
	}
	if err := os.Remove(s.path(name, grantSuffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.dropUnusedLogins()
}
