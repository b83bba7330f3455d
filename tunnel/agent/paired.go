package agent

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// PairedDevice is what the router keeps of a device. A value that devices has
// handed out is never changed by it.
type PairedDevice struct {
	ID       auth.DeviceID  `json:"id"`
	Name     string         `json:"name,omitempty"` // what the device called itself, or who shared called it
	Role     auth.Role      `json:"role"`
	Services []string       `json:"services,omitempty"`     // none, as an older version wrote it: all
	SharedBy auth.DeviceID  `json:"shared_by,omitzero"`     // zero: the router's administrator, unless Orphan
	Orphan   bool           `json:"orphan,omitempty"`       // who has shared had himself forgotten
	Invited  bool           `json:"invited,omitempty"`      // it came by an invitation, and not by the router's own pairing URI
	First    uint64         `json:"first_serial,omitempty"` // of its grants since it has paired; older ones are void for good
	Serial   uint64         `json:"serial"`                 // of its newest grant
	Replaced uint64         `json:"replaced,omitempty"`     // of the grant before, good until the device shows the newest
	PairedAt time.Time      `json:"paired_at"`
	Expires  time.Time      `json:"expires"` // of its grants
	LastUsed time.Time      `json:"last_used,omitzero"`
	Secret   []byte         `json:"pairing_secret"` // 32 bytes, known to device and router alone
	Learned  []Surroundings `json:"learned,omitempty"`
	Place    *Place         `json:"place,omitempty"` // where it was let in last
}

// Place is a place of about a kilometre, for the judgement of impossible travel.
type Place ecv.Place

type placeDocument struct {
	Cell uint64    `json:"s2_cell,string"`
	Seen time.Time `json:"seen"`
}

// MarshalJSON implements [json.Marshaler].
func (p Place) MarshalJSON() ([]byte, error) { return json.Marshal(placeDocument(p)) }

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Place) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, (*placeDocument)(p))
}

// gave tells whether a grant is of the device's present pairing. A tunnel may
// live on with one that has been replaced since, but not with one from before.
func (d PairedDevice) gave(serial uint64) bool { return d.First <= serial && serial <= d.Serial }

// granted are the services of the device's grant. Owners and admins can manage
// what they may, whatever else they were given.
func (d PairedDevice) granted() []string {
	if len(d.Services) == 0 || slices.Contains(d.Services, auth.AllServices) {
		return []string{auth.AllServices}
	}
	all := slices.Concat(d.Services, everybodys[:])
	if d.Role != auth.RoleGuest {
		all = append(all, service.NameManage)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
