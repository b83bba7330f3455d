package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

// Others hold the folder for as long as they write a file, or pair.
const (
	lockPatience = 2 * time.Second // how long a fresh grant waits for them
	lockPause    = 50 * time.Millisecond
)

// keep stores a fresh grant of the router in the place of the old one, which
// stays if anything is wrong: the grant is for another device or from another
// router, the folder is in use for long, the disk is full. The router takes the
// old one until the new one has been used. ctx bounds the wait for the folder.
func (l *Link) keep(ctx context.Context, raw []byte) error {
	signed, err := auth.ParseGrant(raw)
	if err != nil {
		return err
	}
	// At its own time: relay and router decide about the rest, not this clock.
	if _, err := auth.Verify(raw, l.id, l.identity.PublicKey(), signed.Grant.NotBefore); err != nil {
		return fmt.Errorf("the router sent a grant that is of no use: %w", err)
	}
	unlock, err := l.store.lockSoon(ctx)
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
	if !supersedes(raw, stored.Grant) {
		return nil // another program of this device was given a newer one
	}
	return statefile.Write(l.store.path(l.name, grantSuffix), auth.GrantFile(raw))
}

// lockSoon locks the folder, and waits a little for who has it.
func (s *Store) lockSoon(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	again := time.NewTicker(lockPause)
	defer again.Stop()
	for {
		unlock, err := s.lock()
		if !errors.Is(err, statefile.ErrLocked) {
			return unlock, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// supersedes tells whether a grant takes the place of an old one: it has a higher
// number, or the same number and other contents. A router that has learned more
// signs a grant again that it has not seen in use.
func supersedes(raw, old []byte) bool {
	fresh, before := serialOf(raw), serialOf(old)
	return fresh > before || fresh == before && !bytes.Equal(raw, old)
}

// serialOf is the number of a grant; 0 if it is none.
func serialOf(raw []byte) uint64 {
	signed, err := auth.ParseGrant(raw)
	if err != nil {
		return 0
	}
	return signed.Grant.Serial
}
