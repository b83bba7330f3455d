package pin

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

const (
	maxChecks  = 4                // at once: one that works and three that wait
	storeEvery = 15 * time.Minute // how much of a lock's time a restart may lose
)

// Checker checks PINs and counts the wrong ones. There must be one for a path. Its
// methods are safe for concurrent use.
type Checker struct {
	// static
	path  string        // of the PIN
	seats chan struct{} // has one for each check at once

	// guarded by mu, which is held while a PIN is hashed
	mu     sync.Mutex
	clock  clock
	stored time.Time // what the clock showed when the tries were last written
	tries  tries

	known known // of the PIN's file; has a lock of its own, since mu may be held for long
}

// Open reads the tries that were counted at the PIN in the file at path. No PIN
// is no error; a damaged file is.
func Open(path string) (*Checker, error) {
	if _, err := load(path); err != nil && !errors.Is(err, ErrNotSet) {
		return nil, err
	}
	t, at, err := loadTries(triesPath(path))
	if err != nil {
		return nil, err
	}
	return &Checker{path: path, seats: make(chan struct{}, maxChecks), clock: clock{at: at}, stored: at, tries: t}, nil
}

// Check tells whether pin is the router's PIN: nil, [ErrNotSet], [ErrWrong],
// [ErrBusy], a [*LockedError], or an error of the disk, with which nothing was
// checked. now must carry the monotonic reading of time.Now. Check takes about
// as long as the hash, a second or more on a small router, and as long again
// for each that waits before it.
func (c *Checker) Check(device auth.DeviceID, pin string, now time.Time) error {
	select {
	case c.seats <- struct{}{}:
		defer func() { <-c.seats }()
	default:
		return ErrBusy
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	set, err := load(c.path)
	if err != nil {
		return err
	}
	c.clock.tick(now)
	if !bytes.Equal(c.tries.salt, set.Salt) {
		if err := c.storeLocked(tries{salt: set.Salt}); err != nil { // another PIN
			return notCounted(err)
		}
	}
	if wait := c.tries.lockedUntil(device, c.clock.at).Sub(c.clock.at); wait > 0 {
		c.storeClockLocked()
		return &LockedError{Until: now.Add(wait).Round(0)}
	}
	return c.tryLocked(set, device, pin)
}

// tryLocked counts the try first, and takes that back if the PIN is right.
func (c *Checker) tryLocked(set *hashed, device auth.DeviceID, pin string) error {
	before := c.tries
	if err := c.storeLocked(before.withWrong(device, c.clock.at)); err != nil {
		return notCounted(err)
	}
	right := set.matches(pin)
	debug.FreeOSMemory() // a small router misses what the hash took
	if !right {
		return ErrWrong
	}
	c.tries = before.without(device)
	// If this fails, a restart finds one wrong try too many. That does no harm.
	_ = c.storeLocked(c.tries)
	return nil
}

func notCounted(err error) error {
	return fmt.Errorf("the PIN was not checked, because a wrong one could not be counted: %w", err)
}

// Wrong is how many wrong PINs the device has tried since its last right one.
func (c *Checker) Wrong(device auth.DeviceID) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tries.devices[device].Wrong
}

// Forget drops the count of a device. Call it when the device has lost its
// grant: a device that could ask for it would guess for ever.
func (c *Checker) Forget(device auth.DeviceID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, counted := c.tries.devices[device]; !counted {
		return nil
	}
	return c.storeLocked(c.tries.without(device))
}

// storeLocked makes next the tries. When it fails they are as before.
func (c *Checker) storeLocked(next tries) error {
	if err := next.save(triesPath(c.path), c.clock.at); err != nil {
		return err
	}
	c.tries, c.stored = next, c.clock.at
	return nil
}

// storeClockLocked keeps a restart from making a lock much longer. It writes
// seldom, for the flash's sake; when it fails, a lock may last longer.
func (c *Checker) storeClockLocked() {
	if c.clock.at.Sub(c.stored) >= storeEvery {
		_ = c.storeLocked(c.tries)
	}
}
