package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// What people ask of the router: on the router through agent.sock, from their
// own devices through the services "manage" and "personal". All speak the same:
// one JSON object in, one out.

// announceTimeout is how long the relay may take to take new revocations.
const announceTimeout = 5 * time.Second

func (a *Agent) infoOf(d PairedDevice) service.DeviceInfo {
	return service.DeviceInfo{
		ID: d.ID, Name: d.Name, Role: d.Role, Services: d.granted(), PairedAt: d.PairedAt, Expires: d.Expires,
		LastUsed: d.LastUsed, SharedBy: a.sharerOf(d),
	}
}

// sharerOf is how who has shared is called in a list: nothing for the router's
// administrator. What a device has shared stays when the device does not.
func (a *Agent) sharerOf(d PairedDevice) string {
	if d.Orphan {
		return "a forgotten device"
	}
	return a.nameOf(d.SharedBy)
}

func failed(err error) service.ManageAnswer { return service.ManageAnswer{Error: err.Error()} }

// manage does what an owner or an admin asks.
func (a *Agent) manage(request service.ManageRequest, by asker) service.ManageAnswer {
	switch request.Do {
	case "share":
		if request.Share == nil {
			return failed(errors.New("the request does not say what is shared"))
		}
		one, err := a.share(*request.Share, by)
		if err != nil {
			return failed(err)
		}
		return service.ManageAnswer{Invitation: &one}
	case "shares":
		return a.shares(by)
	case "unshare":
		return a.unshare(request.Device, by)
	}
	if by.role != auth.RoleOwner {
		return failed(errors.New("only owners may do this"))
	}
	return a.own(request, by)
}

// own does what is for owners only.
func (a *Agent) own(request service.ManageRequest, by asker) service.ManageAnswer {
	switch request.Do {
	case "devices":
		return a.shares(by)
	case "waiting":
		return a.waiting()
	}
	if !slices.Contains([]string{"revoke", "approve", "reject"}, request.Do) {
		return unknownRequest(request.Do)
	}
	d, err := a.find(request.Device)
	if err != nil {
		return failed(err)
	}
	if request.Do == "revoke" {
		return a.revoke(d, by, request.KeepShared)
	}
	return a.decide(d, by, request.Do == "approve")
}

func unknownRequest(do string) service.ManageAnswer {
	return failed(fmt.Errorf("this agent can't %q: it is of another version than the command", do))
}

// find looks a device up by its ID, the first group of it, or its name if that
// is one device's only.
func (a *Agent) find(whom string) (PairedDevice, error) {
	var short, named []PairedDevice
	for _, d := range a.devices.list() {
		switch id := d.ID.String(); {
		case whom == id || whom == strings.ReplaceAll(id, "-", ""):
			return d, nil
		case whom == d.ID.Short():
			short = append(short, d)
		case whom == d.Name && whom != "":
			named = append(named, d)
		}
	}
	switch {
	case len(short) == 1:
		return short[0], nil
	case len(short) > 1: // somebody has made himself a key for that
		return PairedDevice{}, fmt.Errorf("the IDs of %d devices begin with %q: name the one you mean by its whole ID", len(short), whom)
	case len(named) == 1:
		return named[0], nil
	case len(named) == 0:
		return PairedDevice{}, fmt.Errorf("no paired device has the ID or name %q: list them with 'devices'", whom)
	}
	return PairedDevice{}, fmt.Errorf("%d devices are named %q: name the one you mean by the first group of its ID", len(named), whom)
}

// revoke takes a device's access back, and unless they are to be kept those of
// all whom it has invited, and they in turn: a thief's first step is to invite
// himself.
func (a *Agent) revoke(d PairedDevice, by asker, keepShared bool) service.ManageAnswer {
	if d.ID == by.id {
		return failed(errors.New("this is the device that asks: 'lethe unpair' takes it off the list"))
	}
	invited := a.invitedBy(d.ID, by)
	info := a.infoOf(d)
	answer := service.ManageAnswer{Revoked: &info}
	for _, one := range invited {
		answer.Invited = append(answer.Invited, a.infoOf(one))
	}
	if err := a.revokeOne(d, by); err != nil {
		return failed(err)
	}
	if keepShared {
		return answer
	}
	for _, one := range invited {
		if err := a.revokeOne(one, by); err != nil {
			return failed(fmt.Errorf("the device is revoked, but not all that it has invited: %w", err))
		}
	}
	return answer
}

// invitedBy are the devices that came by an invitation of this one, or of one of
// those, less who asks and whom he has invited.
func (a *Agent) invitedBy(id auth.DeviceID, by asker) (invited []PairedDevice) {
	all := a.devices.list()
	seen := map[auth.DeviceID]bool{id: true, by.id: true, {}: true}
	for sharers := []auth.DeviceID{id}; len(sharers) > 0; sharers = sharers[1:] {
		for _, d := range all {
			if d.SharedBy == sharers[0] && !seen[d.ID] {
				seen[d.ID] = true
				invited, sharers = append(invited, d), append(sharers, d.ID)
			}
		}
	}
	return invited
}

// revokeOne takes one device off the list. The router refuses it from then on.
func (a *Agent) revokeOne(d PairedDevice, by asker) error {
	if _, err := a.devices.remove(d.ID); err != nil {
		return err
	}
	a.clean(d.ID)
	a.log.Info("device revoked")
	a.note(journal.Entry{At: time.Now(), Device: d.ID, Event: journal.Revoked, By: by.id})
	a.cut(d.ID)
	return nil
}

// clean forgets what hung on a device that has left the list. Nobody can use it
// any more: what fails here does not keep the device on the list.
func (a *Agent) clean(id auth.DeviceID) {
	if err := a.dropWhatHangsOn(id); err != nil {
		a.log.Warn("something of a removed device is left", "error", err)
	}
}

// dropWhatHangsOn forgets the invitations that a device has sent, and its wrong
// PINs.
func (a *Agent) dropWhatHangsOn(id auth.DeviceID) error {
	_, err := a.invitations.drop(func(one *invitation) bool { return one.By == id })
	return errors.Join(err, a.pins.Forget(id))
}

// cut ends the tunnels of a device that is no longer on the list, and tells
// the relay to refuse it, too.
func (a *Agent) cut(id auth.DeviceID) {
	if listener := a.listener.Load(); listener != nil {
		listener.Disconnect(id)
	}
	a.announce()
}

// announce tells the relay which grants are void. Before the first registration
// there is nobody to tell; that one does it.
func (a *Agent) announce() {
	listener := a.listener.Load()
	if listener == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), announceTimeout)
	defer cancel()
	if err := listener.Announce(ctx); err != nil {
		a.log.Warn("relay not told of a revocation", "error", err)
	}
}

// waiting lists the devices that wait for an owner's word.
func (a *Agent) waiting() service.ManageAnswer {
	answer := service.ManageAnswer{Waiting: []service.Waiting{}}
	for _, d := range a.devices.list() {
		if since, reasons, waits := a.approvals.of(d.ID); waits {
			answer.Waiting = append(answer.Waiting, service.Waiting{DeviceInfo: a.infoOf(d), Since: since, Reasons: words(reasons)})
		}
	}
	return answer
}

// decide gives an owner's word about another device.
func (a *Agent) decide(d PairedDevice, by asker, approved bool) service.ManageAnswer {
	if d.ID == by.id {
		return failed(errors.New("a device can't approve itself: use another owner's, or the router's PIN"))
	}
	if !a.approvals.decide(d.ID, decision{approved, by.id}) {
		return failed(errors.New("this device does not wait for approval: it does while 'lethe confirm' runs there"))
	}
	info := a.infoOf(d)
	return service.ManageAnswer{Decided: &info}
}

// serveManage answers a request in a tunnel. What the device may is what the
// list says now: its grant may be older.
func (a *Agent) serveManage(s *tunnel.Stream, roles []auth.Role, do func(service.ManageRequest, asker) service.ManageAnswer) {
	d, known := a.devices.get(s.Device().ID())
	if !known || !slices.Contains(roles, d.Role) {
		s.Refuse(string(wire.CodeDenied))
		return
	}
	s.SetReadDeadline(time.Now().Add(adminTimeout))
	var request service.ManageRequest
	if err := json.NewDecoder(io.LimitReader(s, wire.MaxBody)).Decode(&request); err != nil {
		return
	}
	json.NewEncoder(s).Encode(do(request, asker{id: d.ID, role: d.Role}))
}

// Manage asks the running agent of this directory.
func (c *Config) Manage(ctx context.Context, request service.ManageRequest) (service.ManageAnswer, error) {
	conn, err := c.dialAgent(ctx)
	if err != nil {
		return service.ManageAnswer{}, err
	}
	defer conn.Close()
	return service.Manage(ctx, conn, request)
}
