package agent

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

// PairedDevice is what the router keeps of a device.
type PairedDevice struct {
	ID       auth.DeviceID `json:"id"`
	Name     string        `json:"name,omitempty"` // what the device called itself
	Role     auth.Role     `json:"role"`
	Serial   uint64        `json:"serial"` // of its one valid grant
	PairedAt time.Time     `json:"paired_at"`
	Expires  time.Time     `json:"expires"`        // of the grant
	Secret   []byte        `json:"pairing_secret"` // known to device and router alone
}

// devices is the list of paired devices: memory first, the file as its copy.
type devices struct {
	path string

	mu     sync.Mutex
	byID   map[auth.DeviceID]PairedDevice
	serial uint64 // of the last grant: none is used twice, so that a void grant stays void
	revocations
}

type devicesDocument struct {
	LastSerial uint64         `json:"last_serial"`
	Devices    []PairedDevice `json:"devices"`
	Revision   uint64         `json:"revision,omitempty"`
	Revoked    []revokedGrant `json:"revoked,omitempty"`
}

// loadDevices reads the list; a missing file is an empty one.
func loadDevices(path string) (*devices, error) {
	d := &devices{path: path, byID: make(map[auth.DeviceID]PairedDevice)}
	data, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	var doc devicesDocument
	if err := statefile.ParseJSON(data, &doc); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; restore it from a backup, or remove it and pair all devices again", path, err)
	}
	d.serial = doc.LastSerial
	d.revocations = revocations{revision: doc.Revision, grants: doc.Revoked}
	for _, one := range doc.Devices {
		d.byID[one.ID] = one
		d.serial = max(d.serial, one.Serial)
	}
	return d, nil
}

// admits tells whether the grant is the one that the router last gave this device.
func (d *devices) admits(id auth.DeviceID, serial uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, known := d.byID[id]
	return known && one.Serial == serial
}

// add puts a device on the list and returns its grant, which sign makes for the
// serial number given to it; on an error list and file are as they were. A
// device that pairs again gets a new grant; its old one is void.
func (d *devices) add(one PairedDevice, sign func(serial uint64) ([]byte, error)) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serial++
	one.Serial = d.serial
	raw, err := sign(one.Serial)
	if err != nil {
		return nil, err
	}
	before, had := d.byID[one.ID]
	revoked := d.revocations
	d.byID[one.ID] = one
	if had {
		d.revocations = revoked.with(before, time.Now())
	}
	if err := d.saveLocked(); err != nil {
		d.revocations = revoked
		delete(d.byID, one.ID)
		if had {
			d.byID[one.ID] = before
		}
		return nil, err
	}
	return raw, nil
}

// remove takes a device off the list and revokes its grant; false when it was
// not on the list.
func (d *devices) remove(id auth.DeviceID) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, had := d.byID[id]
	if !had {
		return false, nil
	}
	revoked := d.revocations
	delete(d.byID, id)
	d.revocations = revoked.with(before, time.Now())
	if err := d.saveLocked(); err != nil {
		d.byID[id], d.revocations = before, revoked
		return false, err
	}
	return true, nil
}

// list returns the paired devices, those that have paired first at the front.
func (d *devices) list() []PairedDevice {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listLocked()
}

func (d *devices) listLocked() []PairedDevice {
	all := slices.AppendSeq(make([]PairedDevice, 0, len(d.byID)), maps.Values(d.byID))
	slices.SortFunc(all, func(a, b PairedDevice) int { return cmp.Compare(a.Serial, b.Serial) })
	return all
}

// revoked is what the relay is told.
func (d *devices) revoked() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wireForm()
}

func (d *devices) saveLocked() error {
	doc := devicesDocument{LastSerial: d.serial, Devices: d.listLocked(), Revision: d.revision, Revoked: d.grants}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	return statefile.Write(d.path, append(data, '\n'))
}
