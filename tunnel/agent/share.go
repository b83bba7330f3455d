package agent

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
	"github.com/lethe-relay/lethe/tunnel/service"
)

const (
	acceptDefault = 24 * time.Hour
	acceptLongest = 30 * 24 * time.Hour
)

// asker is who asks the agent for something: a device, or with a zero ID the
// router's own administrator, who may do what an owner may.
type asker struct {
	id   auth.DeviceID
	role auth.Role
}

var administrator = asker{role: auth.RoleOwner}

func (a asker) isDevice() bool { return a.id != auth.DeviceID{} }

// rank orders roles by what they may.
func rank(r auth.Role) int {
	return slices.Index([]auth.Role{auth.RoleGuest, auth.RoleAdmin, auth.RoleOwner}, r)
}

// share invites somebody to no more than the sharer has.
func (a *Agent) share(s service.Share, by asker) (service.Invitation, error) {
	now := time.Now()
	one, err := a.invitationOf(s, by, now)
	if err != nil {
		return service.Invitation{}, err
	}
	if err := a.mayShare(one); err != nil {
		return service.Invitation{}, err
	}
	if a.isTaken(one.Name) {
		return service.Invitation{}, fmt.Errorf("a device or an open invitation has the name %q: choose another --name, or take that back first", one.Name)
	}
	if one.Secret, err = auth.NewOneTimeSecret(rand.Reader); err != nil {
		return service.Invitation{}, err
	}
	if err := a.invitations.add(one); err != nil {
		return service.Invitation{}, err
	}
	a.note(journal.Entry{At: now, Event: journal.Shared, By: by.id})
	info := a.invitationInfo(&one)
	info.URI = a.pairing.uri(one.Secret).String()
	return info, nil
}

// isTaken tells whether a device or an open invitation has this name.
func (a *Agent) isTaken(name string) bool {
	return slices.ContainsFunc(a.devices.list(), func(d PairedDevice) bool { return d.Name == name }) ||
		slices.ContainsFunc(a.invitations.list(), func(one *invitation) bool { return one.Name == name })
}

// freeName is for who does not care.
func (a *Agent) freeName(role auth.Role) string {
	for n := 1; ; n++ {
		if name := fmt.Sprintf("%s-%d", role, n); !a.isTaken(name) {
			return name
		}
	}
}

// invitationOf fills in what the sharer left open.
func (a *Agent) invitationOf(s service.Share, by asker, now time.Time) (invitation, error) {
	one := invitation{
		Name: s.Name, Role: s.Role, Services: slices.Compact(slices.Sorted(slices.Values(s.Services))), By: by.id,
		AcceptBy: lastsUntil(now, s.Accept), Until: lastsUntil(now, s.For),
	}
	if s.Name == "" {
		one.Name = a.freeName(s.Role)
	}
	if s.For == 0 {
		one.Until = a.endOf(by, now)
	}
	if s.Accept == 0 {
		one.AcceptBy = lastsUntil(now, acceptDefault)
	}
	if one.AcceptBy.After(one.Until) {
		one.AcceptBy = one.Until
	}
	switch {
	case rank(s.Role) < 0:
		return one, fmt.Errorf("%q is no role: take owner, admin or guest", s.Role)
	case !wire.ValidName(one.Name):
		return one, fmt.Errorf("the name of an invitation must be one line of 1 to %d bytes", wire.MaxName)
	case s.For < 0 || s.For > grantLifetime:
		return one, errors.New("access can be shared for a year at most")
	case s.Accept < 0 || s.Accept > acceptLongest:
		return one, errors.New("an invitation can stay open for 30 days at most")
	}
	return one, a.checkServices(one.Services)
}

// endOf is when the asker's own access ends.
func (a *Agent) endOf(by asker, now time.Time) time.Time {
	if one, known := a.devices.get(by.id); known {
		return one.Expires
	}
	return lastsUntil(now, grantLifetime)
}

// checkServices refuses what the router does not offer: it would be a typing error.
func (a *Agent) checkServices(names []string) error {
	if slices.Equal(names, []string{auth.AllServices}) {
		return nil
	}
	known := a.cfg.serviceNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("the router offers no service %q: it offers %s, or * for all", name, strings.Join(known, ", "))
		}
	}
	if len(names) == 0 || len(names) > auth.MaxServices-len(everybodys)-1 {
		return errors.New("say which services are shared")
	}
	return nil
}

// mayShare tells whether who shares has all of what is shared, now. It is asked
// when an invitation is made and again when it is accepted.
func (a *Agent) mayShare(one invitation) error {
	if one.By == (auth.DeviceID{}) {
		return nil
	}
	by, known := a.devices.get(one.By)
	switch {
	case !known || by.Role == auth.RoleGuest:
		return errors.New("guests can't share: ask an owner")
	case by.Role != auth.RoleOwner && rank(one.Role) >= rank(by.Role):
		return fmt.Errorf("a device with the role %s can invite guests only", by.Role)
	case one.Until.After(by.Expires):
		return fmt.Errorf("your own access ends on %s: share it for a shorter time", by.Expires.Format(time.DateOnly))
	}
	for _, name := range one.Services {
		if !(auth.Grant{Services: by.granted()}).Allows(name) && !slices.Contains(by.granted(), auth.AllServices) {
			return fmt.Errorf("you have no access to %q yourself", name)
		}
	}
	return nil
}

// unshare takes back an open invitation, or a device's access.
func (a *Agent) unshare(whom string, by asker) service.ManageAnswer {
	dropped, err := a.invitations.drop(func(one *invitation) bool {
		return one.Name == whom && a.isSharer(one.By, by)
	})
	if err != nil {
		return failed(err)
	}
	if len(dropped) > 0 {
		a.note(journal.Entry{At: time.Now(), Event: journal.Unshared, By: by.id})
		info := a.invitationInfo(dropped[0])
		return service.ManageAnswer{Invitation: &info}
	}
	d, err := a.find(whom)
	if err != nil {
		return failed(err)
	}
	switch {
	case !a.isSharer(d.SharedBy, by):
		return failed(errors.New("this was shared by another device: ask an owner"))
	case !d.Invited:
		return failed(errors.New("this device was paired at the router, not invited: 'revoke' takes its access back"))
	}
	return a.revoke(d, by, false)
}

// isSharer tells whether somebody may take back what another shared: owners
// may, others only what they shared themselves.
func (a *Agent) isSharer(sharedBy auth.DeviceID, by asker) bool {
	return by.role == auth.RoleOwner || by.isDevice() && sharedBy == by.id
}

// shares lists what the asker may know of: owners all, others what they shared.
func (a *Agent) shares(by asker) service.ManageAnswer {
	answer := service.ManageAnswer{Devices: []service.DeviceInfo{}}
	for _, d := range a.devices.list() {
		if a.isSharer(d.SharedBy, by) || d.ID == by.id {
			answer.Devices = append(answer.Devices, a.infoOf(d))
		}
	}
	for _, one := range a.invitations.list() {
		if a.isSharer(one.By, by) {
			answer.Invitations = append(answer.Invitations, a.invitationInfo(one))
		}
	}
	return answer
}

func (a *Agent) invitationInfo(one *invitation) service.Invitation {
	return service.Invitation{
		Name: one.Name, Role: one.Role, Services: one.Services, Until: one.Until, AcceptBy: one.AcceptBy,
		SharedBy: a.nameOf(one.By),
	}
}

// nameOf is how a device is called in a list: nothing for the administrator.
func (a *Agent) nameOf(id auth.DeviceID) string {
	if id == (auth.DeviceID{}) {
		return ""
	}
	if d, known := a.devices.get(id); known && d.Name != "" {
		return d.Name
	}
	return id.Short()
}
