package device

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/tunnel"
)

const (
	keyFile     = "device.key"
	routersDir  = "routers"
	grantSuffix = "-cert.pub"
	jsonSuffix  = ".json"
)

// ErrUnknownRouter is wrapped by errors about a name that no paired router has.
var ErrUnknownRouter = errors.New("no router of this name is paired")

// Store is a device's folder.
type Store struct {
	dir      string
	identity *auth.Identity
}

// Router is a paired router.
type Router struct {
	Name     string
	PairedAt time.Time
	Secret   [32]byte // known to device and router alone; never leaves the device
	tunnel.Router
}

type routerDocument struct {
	Relay    string        `json:"relay"`
	Router   auth.RouterID `json:"router"`
	PairedAt time.Time     `json:"paired_at"`
	Secret   []byte        `json:"pairing_secret"`
}

// Open reads the folder's key, and makes folder and key when they are missing.
func Open(dir string) (*Store, error) {
	if err := statefile.MkdirPrivate(filepath.Join(dir, routersDir)); err != nil {
		return nil, err
	}
	s := &Store{dir: dir}
	path := filepath.Join(dir, keyFile)
	pem, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, s.makeKey(path)
	}
	if err != nil {
		return nil, err
	}
	if s.identity, err = auth.ParseIdentity(pem); err != nil {
		return nil, fmt.Errorf("%s: %w; if there is no backup, remove the folder %s and pair again", path, err, dir)
	}
	return s, nil
}

func (s *Store) makeKey(path string) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if s.identity, err = auth.NewIdentity(rand.Reader); err != nil {
		return err
	}
	pem, err := s.identity.MarshalPEM()
	if err != nil {
		return err
	}
	return statefile.Write(path, pem)
}

func (s *Store) lock() (unlock func(), err error) { return statefile.Lock(s.dir) }

// Identity is the device's key.
func (s *Store) Identity() *auth.Identity { return s.identity }

// ValidName tells whether a router can have this name here: a service's
// alphabet, since it becomes a file name and a word on command lines.
func ValidName(name string) bool { return auth.ValidService(name) }

// Pair pairs with the router of the URI and keeps it under name, or under the
// name that the router gives itself if that is empty. deviceName is what the
// router shall call this device.
//
// The folder is tried before the router is asked, so that a full disk does not
// cost the URI its one use.
func (s *Store) Pair(ctx context.Context, uri auth.PairingURI, name, deviceName string) (*Router, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.checkNew(name, uri.Router); err != nil {
		return nil, err
	}
	if err := s.tryDisk(); err != nil {
		return nil, err
	}
	paired, err := tunnel.Pair(ctx, tunnel.PairConfig{Identity: s.identity, URI: uri, Name: deviceName})
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = s.freeName(paired.RouterName, uri.Router)
	}
	r := &Router{Name: name, PairedAt: time.Now().UTC().Truncate(time.Second), Secret: paired.Secret, Router: paired.Router}
	return r, s.write(r)
}

// checkNew refuses a name that another router has.
func (s *Store) checkNew(name string, id auth.RouterID) error {
	if name == "" {
		return nil
	}
	if !ValidName(name) {
		return fmt.Errorf("%q can't be a router's name: take 1 to 32 of a-z, 0-9 and -", name)
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
func (s *Store) freeName(wanted string, id auth.RouterID) string {
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
	for n := 1; ; n++ {
		candidate := name
		if n > 1 {
			candidate = fmt.Sprintf("%s-%d", name, n)
		}
		if s.checkNew(candidate, id) == nil {
			return candidate
		}
	}
}

// write puts the grant first: a router counts as paired when its document is there.
func (s *Store) write(r *Router) error {
	doc, err := json.MarshalIndent(routerDocument{
		Relay: r.Relay.String(), Router: r.ID, PairedAt: r.PairedAt, Secret: r.Secret[:],
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := statefile.Write(s.path(r.Name, grantSuffix), auth.GrantFile(r.Grant)); err != nil {
		return err
	}
	return statefile.Write(s.path(r.Name, jsonSuffix), append(doc, '\n'))
}

func (s *Store) path(name, suffix string) string {
	return filepath.Join(s.dir, routersDir, name+suffix)
}

// Routers returns all paired routers, by name.
func (s *Store) Routers() ([]*Router, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	var all []*Router
	for _, name := range names {
		r, err := s.Router(name)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func (s *Store) names() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, routersDir))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), jsonSuffix); ok && ValidName(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Router returns the router of this name. A name that there is not gives an
// error that wraps [ErrUnknownRouter] and lists those that there are.
func (s *Store) Router(name string) (*Router, error) {
	if !ValidName(name) {
		return nil, s.unknown(name)
	}
	path := s.path(name, jsonSuffix)
	data, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.unknown(name)
	}
	if err != nil {
		return nil, err
	}
	var doc routerDocument
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		return nil, damaged(path, name, err)
	}
	r := &Router{Name: name, PairedAt: doc.PairedAt, Router: tunnel.Router{ID: doc.Router}}
	if copy(r.Secret[:], doc.Secret) != len(r.Secret) || len(doc.Secret) != len(r.Secret) {
		return nil, damaged(path, name, errors.New("the pairing secret has not 32 bytes"))
	}
	if r.Relay, err = auth.ParseRelayURL(doc.Relay); err != nil {
		return nil, damaged(path, name, err)
	}
	r.Grant, err = s.grant(name)
	return r, err
}

func (s *Store) grant(name string) ([]byte, error) {
	path := s.path(name, grantSuffix)
	data, err := statefile.Read(path)
	if err != nil {
		return nil, damaged(path, name, err)
	}
	raw, err := auth.ParseGrantFile(data)
	if err == nil {
		_, err = auth.ParseGrant(raw) // here, where the file can be named, and not at the relay
	}
	if err != nil {
		return nil, damaged(path, name, err)
	}
	return raw, nil
}

func damaged(path, name string, err error) error {
	return fmt.Errorf("%s can't be used: %w; restore it from a backup, or 'lethe unpair --local %s' and pair again", path, err, name)
}

func (s *Store) unknown(name string) error {
	names, err := s.names()
	if err != nil || len(names) == 0 {
		return fmt.Errorf("%w: %q; no router is paired yet, 'lethe pair URI' pairs one", ErrUnknownRouter, name)
	}
	return fmt.Errorf("%w: %q; paired are: %s", ErrUnknownRouter, name, strings.Join(names, ", "))
}

// Remove forgets the router of this name, whatever state its files are in.
func (s *Store) Remove(name string) error {
	if !ValidName(name) {
		return s.unknown(name)
	}
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	err = os.Remove(s.path(name, jsonSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return s.unknown(name)
	}
	if err != nil {
		return err
	}
	if err := os.Remove(s.path(name, grantSuffix)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
