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
	next := revocations{revision: r.revision + 1}
	for _, g := range r.grants {
		if g.Device != d.ID && now.Before(g.Until) {
			next.grants = append(next.grants, g)
		}
	}
	next.grants = append(next.grants, revokedGrant{Device: d.ID, Serial: d.Serial, Until: d.Expires})
	slices.SortStableFunc(next.grants, func(a, b revokedGrant) int { return cmp.Compare(a.Until.Unix(), b.Until.Unix()) })
	next.grants = next.grants[max(0, len(next.grants)-auth.MaxRevocations):]
	return next
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
