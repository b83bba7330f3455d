package agent

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// What the router holds about a device belongs to the person who carries it: he
// may see all of it, and have it erased.

// Holdings is all that the router holds about one device. Its JSON is what
// 'lethe export' shows.
type Holdings struct {
	Router      auth.RouterID        `json:"router"`
	Device      service.DeviceInfo   `json:"device"`
	Grants      []uint64             `json:"grant_serials"`                  // that are good
	Void        uint64               `json:"grants_revoked_up_to,omitempty"` // the relay is told that these are void
	Secret      string               `json:"pairing_secret"`                 // that it is held, not what it is
	Learned     []Surroundings       `json:"learned_environments"`
	Place       *Place               `json:"last_place,omitempty"`
	WrongPINs   int                  `json:"wrong_pins,omitempty"` // since the last right one
	Invitations []service.Invitation `json:"invitations_sent,omitempty"`
	SharedWith  []string             `json:"shared_with,omitempty"` // devices that accepted one
	Decisions   []journal.Entry      `json:"decisions"`
	Caused      []journal.Entry      `json:"decisions_caused,omitempty"` // about others, who are left out
	Retention   map[string]string    `json:"retention"`
	Confirming  bool                 `json:"waits_for_approval"`
}

// personal shows everybody what is held about himself.
func (a *Agent) personal(request service.ManageRequest, by asker) service.ManageAnswer {
	return a.forSelf(request, "export", a.export, by)
}

// withdraw has it erased.
func (a *Agent) withdraw(request service.ManageRequest, by asker) service.ManageAnswer {
	return a.forSelf(request, "forget", a.forget, by)
}

func (a *Agent) forSelf(request service.ManageRequest, do string, f func(PairedDevice) service.ManageAnswer, by asker) service.ManageAnswer {
	if request.Do != do {
		return unknownRequest(request.Do)
	}
	d, err := a.find(by.id.String())
	if err != nil {
		return failed(err)
	}
	return f(d)
}

func (a *Agent) export(d PairedDevice) service.ManageAnswer {
	_, _, waits := a.approvals.of(d.ID)
	h := Holdings{
		Router: a.RouterID(), Device: a.infoOf(d), Grants: []uint64{d.Serial}, Secret: "32 bytes, shared with the device",
		Learned: d.Learned, Place: d.Place, WrongPINs: a.pins.Wrong(d.ID), Decisions: a.journal.Entries(d.ID, time.Time{}), Confirming: waits,
		Retention: map[string]string{"decisions": a.cfg.Retention.Log.String(), "environments": a.cfg.Retention.Environments.String()},
	}
	if d.Replaced != 0 {
		h.Grants = append(h.Grants, d.Replaced)
	}
	h.Void = a.devices.revokedUpTo(d.ID)
	h.Invitations, h.SharedWith, h.Caused = a.sharedBy(d.ID)
	doc, err := json.Marshal(h)
	if err != nil {
		return failed(err)
	}
	return service.ManageAnswer{Export: doc}
}

// sharedBy is what a device has to do with others.
func (a *Agent) sharedBy(id auth.DeviceID) (open []service.Invitation, with []string, caused []journal.Entry) {
	for _, one := range a.invitations.list() {
		if one.By == id {
			open = append(open, a.invitationInfo(one))
		}
	}
	for _, d := range a.devices.list() {
		if d.SharedBy == id {
			with = append(with, a.nameOf(d.ID))
		}
	}
	for _, e := range a.journal.Entries(auth.DeviceID{}, time.Time{}) {
		if e.By == id && e.Device != id {
			e.Device = auth.DeviceID{}
			caused = append(caused, e)
		}
	}
	return open, with, caused
}

// forget erases what is held about a device and signs that. What is left is
// that its grants are void, until they would have ended by themselves. The
// device goes before the journal, which nothing is added to about it from then on.
func (a *Agent) forget(d PairedDevice) service.ManageAnswer {
	if err := a.dropWhatHangsOn(d.ID); err != nil {
		return failed(err)
	}
	if err := a.devices.orphan(d.ID); err != nil {
		return failed(err)
	}
	if _, err := a.devices.remove(d.ID); err != nil {
		return failed(err)
	}
	a.approvals.decide(d.ID, decision{})
	if _, err := a.journal.Forget(d.ID); err != nil {
		return failed(fmt.Errorf("all is erased but the log of decisions, which will be as soon as it can be written: %w", err))
	}
	a.log.Info("device forgotten")
	receipt, err := auth.SignReceipt(a.identity, auth.Receipt{
		Party: string(auth.PeerRouter), Device: d.ID, Router: a.RouterID(), At: time.Now(),
		Erased: []string{"decisions", "environments", "grant", "invitations", "pairing-secret", "place", "pin-attempts"},
	})
	if err != nil {
		return failed(err)
	}
	return service.ManageAnswer{Receipt: &receipt}
}
