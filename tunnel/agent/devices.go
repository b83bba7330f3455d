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

// devices is the list of paired devices: memory first, the file as its copy.
type devices struct {
	path string

	mu      sync.Mutex
	byID    map[auth.DeviceID]PairedDevice
	serial  uint64 // of the last grant: none is used twice, so that a void grant stays void
	unsaved bool   // something small has changed since the file was written
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
		return nil, damagedDevices(path, err)
	}
	d.serial = doc.LastSerial
	d.revocations = revocations{revision: doc.Revision, grants: doc.Revoked}
	for _, one := range doc.Devices {
		if len(one.Secret) != 32 {
			return nil, damagedDevices(path, errors.New("a pairing secret has not 32 bytes"))
		}
		d.byID[one.ID] = one
		d.serial = max(d.serial, one.Serial)
	}
	return d, nil
}

func damagedDevices(path string, err error) error {
	return fmt.Errorf("%s is damaged: %w; restore it from a backup, or remove it and pair all devices again", path, err)
}

// admits tells whether the grant is the one that the router last gave this
// device, or the one before while the device has not shown the last.
func (d *devices) admits(id auth.DeviceID, serial uint64) bool {
	one, known := d.get(id)
	return known && (one.Serial == serial || one.Replaced == serial && serial != 0)
}

// stillGood tells whether a tunnel that was made with this grant may go on.
func (d *devices) stillGood(id auth.DeviceID, serial uint64) bool {
	one, known := d.get(id)
	return known && one.gave(serial)
}

func (d *devices) get(id auth.DeviceID) (one PairedDevice, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, known = d.byID[id]
	return one, known
}

// add puts a device on the list and returns its grant, which sign makes for the
// serial number given to it; on an error list and file are as they were. A
// device that pairs again gets a new grant; its old ones are void.
func (d *devices) add(one PairedDevice, sign func(PairedDevice) ([]byte, error)) (grant []byte, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one.Serial = d.nextSerial()
	one.First = one.Serial
	if grant, err = sign(one); err != nil {
		return nil, err
	}
	return grant, d.putLocked(one.ID, &one, true)
}

// remove takes a device off the list and revokes its grants; false when it was
// not on the list.
func (d *devices) remove(id auth.DeviceID) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, had := d.byID[id]; !had {
		return false, nil
	}
	err := d.putLocked(id, nil, true)
	return err == nil, err
}

// edit changes what is kept of a device. change gets a copy, must not change
// what its slices hold, and tells whether it is worth writing at once. On an
// error of either, list and file are as they were. Called with a device that is
// not on the list, it does nothing.
func (d *devices) edit(id auth.DeviceID, change func(one *PairedDevice) (write bool, err error)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, known := d.byID[id]
	if !known {
		return nil
	}
	write, err := change(&one)
	if err != nil {
		return err
	}
	if !write {
		d.byID[id], d.unsaved = one, true
		return nil
	}
	return d.putLocked(id, &one, false)
}

// ifKnown does something that a device can't be removed during. It must be quick.
func (d *devices) ifKnown(id auth.DeviceID, do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.byID[id]; known {
		do()
	}
}

// orphan takes the name of a sharer off the devices with which it has shared.
func (d *devices) orphan(sharer auth.DeviceID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, changed := maps.Clone(d.byID), false
	for id, one := range before {
		if one.SharedBy == sharer {
			one.SharedBy, one.Orphan = auth.DeviceID{}, true
			d.byID[id], changed = one, true
		}
	}
	if !changed {
		return nil
	}
	err := d.saveLocked()
	if err != nil {
		d.byID = before
	}
	return err
}

// forgetVoid forgets revocations of grants that have expired by themselves.
func (d *devices) forgetVoid(now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.revocations
	d.revocations = before.valid(now)
	if len(d.grants) == len(before.grants) {
		return nil
	}
	err := d.saveLocked()
	if err != nil {
		d.revocations = before
	}
	return err
}

// retire revokes the grant before the newest, once the device has shown the newest.
func (d *devices) retire(id auth.DeviceID, shown uint64) (changed bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, known := d.byID[id]
	if !known || one.Replaced == 0 || one.Serial != shown {
		return false, nil
	}
	revoked := d.revocations
	d.revocations = revoked.with(PairedDevice{ID: id, Serial: one.Replaced, Expires: one.Expires}, time.Now())
	one.Replaced = 0
	if err = d.putLocked(id, &one, false); err != nil {
		d.revocations = revoked
	}
	return err == nil, err
}

// nextSerial is the number of a new grant; the caller holds mu.
func (d *devices) nextSerial() uint64 {
	d.serial++
	return d.serial
}

// putLocked puts one in the place of what is kept of a device, or takes that
// away, and writes the file; on an error all is as it was. revoke voids the
// grants of what was there.
func (d *devices) putLocked(id auth.DeviceID, one *PairedDevice, revoke bool) error {
	before, had := d.byID[id]
	revoked := d.revocations
	if had && revoke {
		d.revocations = revoked.with(before, time.Now())
	}
	delete(d.byID, id)
	if one != nil {
		d.byID[id] = *one
	}
	err := d.saveLocked()
	if err != nil {
		d.revocations = revoked
		delete(d.byID, id)
		if had {
			d.byID[id] = before
		}
	}
	return err
}

// flush writes what was not worth writing at once.
func (d *devices) flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.unsaved {
		return nil
	}
	return d.saveLocked()
}

// list returns the paired devices, those that have paired first at the front.
func (d *devices) list() []PairedDevice {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listLocked()
}

func (d *devices) listLocked() []PairedDevice {
	all := slices.AppendSeq(make([]PairedDevice, 0, len(d.byID)), maps.Values(d.byID))
	slices.SortFunc(all, func(a, b PairedDevice) int {
		return cmp.Or(cmp.Compare(a.PairedAt.Unix(), b.PairedAt.Unix()), cmp.Compare(a.Serial, b.Serial))
	})
	return all
}

// revoked is what the relay is told.
func (d *devices) revoked() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wireForm()
}

// revokedUpTo is the highest serial of a device's revoked grants, or zero.
func (d *devices) revokedUpTo(id auth.DeviceID) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.upTo(id)
}

func (d *devices) saveLocked() error {
	doc := devicesDocument{LastSerial: d.serial, Devices: d.listLocked(), Revision: d.revision, Revoked: d.grants}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	if err := statefile.Write(d.path, append(data, '\n')); err != nil {
		return err
	}
	d.unsaved = false
	return nil
}
