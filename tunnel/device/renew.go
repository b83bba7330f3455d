package device

import (
	"errors"
	"fmt"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

// keep stores a fresh grant of the router in the place of the old one, which
// stays if anything is wrong: the grant is for another device or from another
// router, the folder is in use, the disk is full. The router takes the old one
// until the new one has been used.
func (l *Link) keep(raw []byte) error {
	signed, err := auth.ParseGrant(raw)
	if err != nil {
		return err
	}
	// At its own time: relay and router decide about the rest, not this clock.
	fresh, err := auth.Verify(raw, l.id, l.identity.PublicKey(), signed.Grant.NotBefore)
	if err != nil {
		return fmt.Errorf("the router sent a grant that is of no use: %w", err)
	}
	unlock, err := l.store.lock()
	if err != nil {
		return err
	}
	defer unlock()
	stored, err := l.store.Router(l.name)
	if err != nil {
		return err
	}
	if stored.ID != l.id {
		return errors.New("another router has taken the name of the one that sent a fresh grant")
	}
	if serialOf(stored.Grant) >= fresh.Serial {
		return nil // another program of this device was given a newer one
	}
	return statefile.Write(l.store.path(l.name, grantSuffix), auth.GrantFile(raw))
}

// serialOf is the number of a grant; 0 if it is none.
func serialOf(raw []byte) uint64 {
	signed, err := auth.ParseGrant(raw)
	if err != nil {
		return 0
	}
	return signed.Grant.Serial
}
