package device

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

// Login is what a device keeps of a login to a relay's account system.
type Login struct {
	Issuer   string    `json:"issuer"`
	ClientID string    `json:"client_id"`
	IDToken  string    `json:"id_token"` // a secret
	Expires  time.Time `json:"expires"`
}

// loginsDocument holds logins by the relay's host and port.
type loginsDocument struct {
	Logins map[string]Login `json:"logins"`
}

// Login returns the login to a relay; false if there is none, or if it has
// expired. Expired ones, of all relays, are taken out of the file.
func (s *Store) Login(relay auth.RelayURL) (login Login, found bool, err error) {
	logins, err := s.logins()
	if err != nil {
		return Login{}, false, err
	}
	if dropExpired(logins) {
		s.changeLogins(func(map[string]Login) {}) // if the folder is in use, the next time
	}
	login, found = logins[relay.Host]
	return login, found, nil
}

// KeepLogin stores a login to a relay in the place of an older one.
func (s *Store) KeepLogin(relay auth.RelayURL, login Login) error {
	return s.changeLogins(func(logins map[string]Login) { logins[relay.Host] = login })
}

// DropLogin forgets the login to a relay, if there is one.
func (s *Store) DropLogin(relay auth.RelayURL) error {
	return s.changeLogins(func(logins map[string]Login) { delete(logins, relay.Host) })
}

func (s *Store) loginsPath() string { return filepath.Join(s.dir, loginsFile) }

// logins returns the logins in the file, by the relay's host.
func (s *Store) logins() (map[string]Login, error) {
	data, err := statefile.Read(s.loginsPath())
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]Login{}, nil
	}
	if err != nil {
		return nil, err
	}
	var doc loginsDocument
	if err := statefile.ParseJSON(data, &doc); err != nil {
		return nil, fmt.Errorf("%s can't be used: %w; remove it and log in again with 'lethe login'", s.loginsPath(), err)
	}
	if doc.Logins == nil {
		doc.Logins = map[string]Login{}
	}
	return doc.Logins, nil
}

func dropExpired(logins map[string]Login) (some bool) {
	before := len(logins)
	maps.DeleteFunc(logins, func(_ string, l Login) bool { return !time.Now().Before(l.Expires) })
	return len(logins) < before
}

func (s *Store) changeLogins(change func(map[string]Login)) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	logins, err := s.logins()
	if err != nil {
		return err
	}
	change(logins)
	return s.writeLogins(logins)
}

// writeLogins replaces the file, without what has expired, or removes it when
// nothing is left to keep; the caller holds the folder's lock.
func (s *Store) writeLogins(logins map[string]Login) error {
	dropExpired(logins)
	if len(logins) == 0 {
		err := os.Remove(s.loginsPath())
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	doc, err := json.MarshalIndent(loginsDocument{logins}, "", "  ")
	if err != nil {
		return err
	}
	return statefile.Write(s.loginsPath(), append(doc, '\n'))
}
