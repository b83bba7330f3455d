package pin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

const (
	triesPerLock  = 5  // wrong PINs of one device between two locks
	triesTogether = 30 // wrong PINs of all devices in any span of together
	together      = time.Hour
)

// lockAfter is how long a device is locked after that many wrong PINs in a row.
func lockAfter(wrong int) time.Duration {
	switch {
	case wrong%triesPerLock != 0:
		return 0
	case wrong == triesPerLock:
		return 15 * time.Minute
	case wrong == 2*triesPerLock:
		return time.Hour
	}
	return 24 * time.Hour
}

// tries are the wrong tries at one PIN. All times are those of a [clock]. A
// value is never changed: methods return the one that comes after it.
type tries struct {
	salt    []byte                        // of the PIN
	recent  []time.Time                   // wrong tries of the last span of together, oldest first
	devices map[auth.DeviceID]deviceTries // without those that have no wrong tries
}

type deviceTries struct {
	ID          auth.DeviceID `json:"id"`
	Wrong       int           `json:"wrong"` // since the last right PIN
	LockedUntil time.Time     `json:"locked_until,omitzero"`
}

// lockedUntil returns when the device may try again; not after at if it may now.
func (t tries) lockedUntil(device auth.DeviceID, at time.Time) time.Time {
	until := t.devices[device].LockedUntil
	if full := len(t.recent) - triesTogether; full >= 0 {
		if all := t.recent[full].Add(together); all.After(until) {
			until = all
		}
	}
	return until
}

// withWrong returns the tries with one more wrong one.
func (t tries) withWrong(device auth.DeviceID, at time.Time) tries {
	next := tries{salt: t.salt, devices: make(map[auth.DeviceID]deviceTries, len(t.devices)+1)}
	for _, then := range t.recent {
		if at.Sub(then) < together {
			next.recent = append(next.recent, then)
		}
	}
	next.recent = append(next.recent, at)
	maps.Copy(next.devices, t.devices)
	one := deviceTries{ID: device, Wrong: t.devices[device].Wrong + 1}
	if lock := lockAfter(one.Wrong); lock > 0 {
		one.LockedUntil = at.Add(lock)
	}
	next.devices[device] = one
	return next
}

// without returns the tries less those in a row of the device. Those of all devices stay.
func (t tries) without(device auth.DeviceID) tries {
	next := t
	next.devices = maps.Clone(t.devices)
	delete(next.devices, device)
	return next
}

type triesDocument struct {
	Salt    []byte        `json:"pin_salt"`
	Clock   time.Time     `json:"clock"`
	Recent  []time.Time   `json:"recent,omitempty"`
	Devices []deviceTries `json:"devices,omitempty"`
}

// triesPath names the file of tries that belongs to a PIN's.
func triesPath(path string) string { return strings.TrimSuffix(path, ".json") + "-tries.json" }

// loadTries reads what save wrote; a missing file is as one without tries.
func loadTries(path string) (tries, time.Time, error) {
	data, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return tries{}, time.Time{}, nil
	}
	if err != nil {
		return tries{}, time.Time{}, err
	}
	var doc triesDocument
	if err := statefile.ParseJSON(data, &doc); err != nil {
		return tries{}, time.Time{}, fmt.Errorf("%s is damaged: %w; remove it and set the PIN again with: lethe-agent pin", path, err)
	}
	t := tries{salt: doc.Salt, recent: doc.Recent, devices: make(map[auth.DeviceID]deviceTries)}
	for _, one := range doc.Devices {
		t.devices[one.ID] = one
	}
	return t, doc.Clock, nil
}

// save writes the tries, and what the clock showed.
func (t tries) save(path string, at time.Time) error {
	devices := slices.SortedFunc(maps.Values(t.devices), func(a, b deviceTries) int { return slices.Compare(a.ID[:], b.ID[:]) })
	data, err := json.MarshalIndent(triesDocument{Salt: t.salt, Clock: at, Recent: t.recent, Devices: devices}, "", "  ")
	if err != nil {
		return err
	}
	return statefile.Write(path, append(data, '\n'))
}
