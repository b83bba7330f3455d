package device

import (
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

// ErrUnknownRouter is wrapped by errors about a name that no paired router has.
var ErrUnknownRouter = errors.New("no router of this name is paired")

// Router is a paired router.
type Router struct {
	Name          string
	PairedAt      time.Time
	tunnel.Router // its Secret never leaves the device
}

type routerDocument struct {
	Relay    string        `json:"relay"`
	Router   auth.RouterID `json:"router"`
	PairedAt time.Time     `json:"paired_at"`
	Secret   []byte        `json:"pairing_secret"`
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

// Routers returns all paired routers, by name. One whose files are damaged does not hide the others: it is
// left out, and the error, which comes beside them, joins one sentence for each such router.
func (s *Store) Routers() ([]*Router, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	var all []*Router
	var faults []error
	for _, name := range names {
		r, err := s.Router(name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		all = append(all, r)
	}
	return all, errors.Join(faults...)
}

func (s *Store) names() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, routersDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
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
	if err := statefile.ParseJSON(data, &doc); err != nil {
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
