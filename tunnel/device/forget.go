package device

import (
	"errors"
	"io/fs"
	"maps"
	"os"
)

// Forget does what [Store.Remove] does, and with the last router it removes the
// device's key.
func (s *Store) Forget(name string) error {
	unlock, err := s.lockFor(name)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.remove(name); err != nil {
		return err
	}
	names, err := s.names()
	if err != nil || len(names) > 0 {
		return err
	}
	s.identity = nil
	if err := os.Remove(s.keyPath()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// dropUnusedLogins forgets the logins to relays of no router. When a router's
// files are damaged nobody knows its relay, and the logins are kept; with the
// last router all go, even those that can't be read.
func (s *Store) dropUnusedLogins() error {
	routers, damaged := s.Routers()
	if damaged != nil {
		return nil
	}
	if len(routers) == 0 {
		return s.writeLogins(nil)
	}
	logins, err := s.logins()
	if err != nil {
		return err
	}
	used := make(map[string]bool)
	for _, r := range routers {
		used[r.Relay.Host] = true
	}
	maps.DeleteFunc(logins, func(host string, _ Login) bool { return !used[host] })
	return s.writeLogins(logins)
}
