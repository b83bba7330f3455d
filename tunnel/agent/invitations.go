package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

// maxInvitations is how many can be open at once.
const maxInvitations = 16

// invitation is a pairing URI that somebody has been given. Each is good once.
type invitation struct {
	Name     string             `json:"name"`
	Secret   auth.OneTimeSecret `json:"secret"`
	Role     auth.Role          `json:"role"`
	Services []string           `json:"services"`
	Until    time.Time          `json:"until"`              // of the access
	AcceptBy time.Time          `json:"accept_by"`          // of the invitation
	By       auth.DeviceID      `json:"shared_by,omitzero"` // zero: the router's administrator

	window *auth.PairingWindow
}

// invitations are the open ones: memory first, the file as its copy, because
// an invitation outlives a restart.
type invitations struct {
	// static
	path   string
	router auth.RouterID

	mu  sync.Mutex
	all []*invitation
}

// loadInvitations reads the file; a missing one holds none.
func loadInvitations(path string, router auth.RouterID) (*invitations, error) {
	v := &invitations{path: path, router: router}
	data, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	if err := statefile.ParseJSON(data, &v.all); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; remove it, and share again what nobody has accepted yet", path, err)
	}
	for _, one := range v.all {
		one.window = auth.NewInvitationWindow(router, one.Secret, one.AcceptBy)
	}
	return v, nil
}

// add opens an invitation.
func (v *invitations) add(one invitation) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := open(v.all, time.Now())
	if len(all) >= maxInvitations {
		return fmt.Errorf("%d invitations are open already: take one back with 'unshare', or wait until one is accepted", len(all))
	}
	one.window = auth.NewInvitationWindow(v.router, one.Secret, one.AcceptBy)
	return v.putLocked(append(all, &one))
}

// open are those that can still be accepted.
func open(all []*invitation, now time.Time) []*invitation {
	return slices.DeleteFunc(slices.Clone(all), func(one *invitation) bool { return one.window.State(now) != nil })
}

// drop takes back all invitations that are meant, and returns them.
func (v *invitations) drop(meant func(*invitation) bool) (dropped []*invitation, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var left []*invitation
	for _, one := range v.all {
		if meant(one) {
			dropped = append(dropped, one)
		} else {
			left = append(left, one)
		}
	}
	if len(dropped) == 0 {
		return nil, nil
	}
	return dropped, v.putLocked(left)
}

// list returns the open invitations.
func (v *invitations) list() []*invitation {
	v.mu.Lock()
	defer v.mu.Unlock()
	return open(v.all, time.Now())
}

// find returns the open invitation that has this ID.
func (v *invitations) find(id [8]byte) *invitation {
	for _, one := range v.list() {
		if one.Secret.ID() == id {
			return one
		}
	}
	return nil
}

// prune forgets what can't be accepted any more, and what is meant besides.
func (v *invitations) prune(now time.Time, meant func(*invitation) bool) error {
	_, err := v.drop(func(one *invitation) bool { return one.window.State(now) != nil || meant(one) })
	return err
}

// putLocked makes all the list and writes the file; on an error both stay as
// they were.
func (v *invitations) putLocked(all []*invitation) error {
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := statefile.Write(v.path, append(data, '\n')); err != nil {
		return err
	}
	for _, one := range v.all {
		if !slices.Contains(all, one) {
			one.window.Close()
		}
	}
	v.all = all
	return nil
}
