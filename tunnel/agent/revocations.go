package agent

import (
	"cmp"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

// revocations are the grants that the router has taken back and that have not
// expired yet. The router itself goes by its list of devices, where they are
// missing; these are for the relay. A value is never changed.
type revocations struct {
	revision uint64 // rises with each change, also over restarts
	grants   []revokedGrant
}

type revokedGrant struct {
	Device auth.DeviceID `json:"device"`
	Serial uint64        `json:"serial"`
	Until  time.Time     `json:"until"` // its grant has expired then
}

// with returns the revocations with the device's grant among them, less what
// has expired. When there are too many, those that expire first are left out.
func (r revocations) with(d PairedDevice, now time.Time) revocations {
	next := r.valid(now)
	next.revision++
	next.grants = slices.DeleteFunc(next.grants, func(g revokedGrant) bool { return g.Device == d.ID })
	next.grants = append(next.grants, revokedGrant{Device: d.ID, Serial: d.Serial, Until: d.Expires})
	slices.SortStableFunc(next.grants, func(a, b revokedGrant) int { return cmp.Compare(a.Until.Unix(), b.Until.Unix()) })
	next.grants = next.grants[max(0, len(next.grants)-auth.MaxRevocations):]
	return next
}

// valid returns the revocations less what has expired. It is no change that the
// relay must hear of.
func (r revocations) valid(now time.Time) revocations {
	left := slices.DeleteFunc(slices.Clone(r.grants), func(g revokedGrant) bool { return !now.Before(g.Until) })
	return revocations{revision: r.revision, grants: left}
}

// upTo is the highest serial of a device's revoked grants, or zero.
func (r revocations) upTo(id auth.DeviceID) uint64 {
	i := slices.IndexFunc(r.grants, func(g revokedGrant) bool { return g.Device == id })
	if i < 0 {
		return 0
	}
	return r.grants[i].Serial
}

// wireForm is what the relay is told; nothing when nothing was ever revoked.
func (r revocations) wireForm() []byte {
	if r.revision == 0 {
		return nil
	}
	list := auth.Revocations{Number: r.revision}
	for _, g := range r.grants {
		list.Devices = append(list.Devices, auth.Revocation{Device: g.Device, Serial: g.Serial})
	}
	return list.Append(nil)
}
