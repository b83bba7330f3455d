package agent

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// invite shares, and returns the secret of the invitation.
func (a *Agent) invite(t *testing.T, s service.Share, by asker) auth.OneTimeSecret {
	t.Helper()
	answer := mustNotFail(t, a.manage(service.ManageRequest{Do: "share", Share: &s}, by))
	uri, err := auth.ParsePairingURI(answer.Invitation.URI)
	if err != nil {
		t.Fatal(err)
	}
	return uri.Secret
}

// accept pairs a new phone by an invitation.
func accept(t *testing.T, a *Agent, secret auth.OneTimeSecret) (*phone, error) {
	t.Helper()
	p := &phone{t: t, a: a, id: newIdentity(t)}
	return p, p.pair(secret, "what it calls itself")
}

func (p *phone) asker() asker { return asker{p.id.DeviceID(), p.kept().Role} }

// newMember is a phone with what was shared with it.
func newMember(t *testing.T, a *Agent, s service.Share) *phone {
	t.Helper()
	p, err := accept(t, a, a.invite(t, s, administrator))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const day = 24 * time.Hour

// TestGuestEscalation: nobody gets more from somebody than that one has, and guests share nothing.
func TestGuestEscalation(t *testing.T) {
	a := newAgent(t, strict)
	guest := newMember(t, a, service.Share{Role: auth.RoleGuest, Services: []string{"http", "manage"}, For: day, Name: "guest"})
	admin := newMember(t, a, service.Share{Role: auth.RoleAdmin, Services: []string{"http", "manage"}, For: 2 * day, Name: "admin"})
	owner := newMember(t, a, service.Share{Role: auth.RoleOwner, Services: []string{"*"}, For: 2 * day, Name: "owner"})
	for name, test := range map[string]struct {
		by    *phone
		share service.Share
		want  string // empty: it is allowed
	}{
		"guest shares":               {guest, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: time.Hour}, "guests can't share"},
		"guest makes an owner":       {guest, service.Share{Role: auth.RoleOwner, Services: []string{"http"}, For: time.Hour}, "guests can't share"},
		"admin makes an admin":       {admin, service.Share{Role: auth.RoleAdmin, Services: []string{"http"}, For: time.Hour}, "can invite guests only"},
		"admin makes an owner":       {admin, service.Share{Role: auth.RoleOwner, Services: []string{"http"}, For: time.Hour}, "can invite guests only"},
		"admin shares what it lacks": {admin, service.Share{Role: auth.RoleGuest, Services: []string{"http", "ssh"}, For: time.Hour}, `no access to "ssh"`},
		"admin shares all":           {admin, service.Share{Role: auth.RoleGuest, Services: []string{"*"}, For: time.Hour}, `no access to "*"`},
		"admin shares for longer":    {admin, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: 3 * day}, "your own access ends"},
		"admin shares":               {admin, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: time.Hour}, ""},
		"admin shares for its time":  {admin, service.Share{Role: auth.RoleGuest, Services: []string{"http"}}, ""},
		"owner makes an owner":       {owner, service.Share{Role: auth.RoleOwner, Services: []string{"*"}, For: time.Hour}, ""},
		"owner shares for longer":    {owner, service.Share{Role: auth.RoleGuest, Services: []string{"*"}, For: 3 * day}, "your own access ends"},
		"a year and a day":           {owner, service.Share{Role: auth.RoleGuest, Services: []string{"*"}, For: 366 * day}, "a year at most"},
		"a past time":                {owner, service.Share{Role: auth.RoleGuest, Services: []string{"*"}, For: -day}, "a year at most"},
		"no role":                    {owner, service.Share{Services: []string{"*"}, For: day}, "no role"},
		"no services":                {owner, service.Share{Role: auth.RoleGuest, For: day}, "which services"},
		"all and one":                {owner, service.Share{Role: auth.RoleGuest, Services: []string{"*", "http"}, For: day}, `no service "*"`},
		"unknown service":            {owner, service.Share{Role: auth.RoleGuest, Services: []string{"htpp"}, For: day}, `no service "htpp": it offers status, manage`},
		"a name of two lines":        {owner, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Name: "a\nb"}, "must be one line"},
		"open for ever":              {owner, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Accept: 31 * day}, "30 days at most"},
	} {
		answer := a.manage(service.ManageRequest{Do: "share", Share: &test.share}, test.by.asker())
		if test.want != "" {
			mustFail(t, answer, test.want)
		} else if answer.Error != "" || answer.Invitation.Name == "" {
			t.Errorf("%s: %q, %+v", name, answer.Error, answer.Invitation)
		}
		if i := answer.Invitation; i != nil && (i.Until.After(test.by.kept().Expires) || i.AcceptBy.After(i.Until)) {
			t.Errorf("%s: until %v, to accept by %v", name, i.Until, i.AcceptBy)
		}
	}
	for _, do := range []string{"devices", "revoke", "waiting", "approve", "reject", "log", "pair", ""} {
		mustFail(t, a.manage(service.ManageRequest{Do: do, Device: "owner"}, admin.asker()), "only owners")
	}
	if g := guest.device.Grant; !slices.Equal(g.Services, []string{"forget", "http", "manage", "personal", "unpair"}) || g.Role != auth.RoleGuest || time.Until(g.NotAfter) > day {
		t.Errorf("the guest's grant: %+v", g)
	}
}

// TestSharerChanges: an invitation is worth what its sharer has when it is accepted.
func TestSharerChanges(t *testing.T) {
	a := newAgent(t, strict)
	offer := service.Share{Role: auth.RoleGuest, Services: []string{"ssh"}, For: time.Hour}
	all := service.Share{Role: auth.RoleAdmin, Services: []string{"ssh", "manage"}, For: day}
	for name, change := range map[string]func(*PairedDevice){
		"its services": func(d *PairedDevice) { d.Services = []string{"manage"} },
		"its role":     func(d *PairedDevice) { d.Role = auth.RoleGuest },
		"its time":     func(d *PairedDevice) { d.Expires = time.Now() },
	} {
		sharer := newMember(t, a, all)
		secret := a.invite(t, offer, sharer.asker())
		err := a.devices.edit(sharer.id.DeviceID(), func(d *PairedDevice) (bool, error) { change(d); return true, nil })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := accept(t, a, secret); !errors.Is(err, auth.ErrPairingClosed) {
			t.Errorf("the sharer has lost %s: %v", name, err)
		}
	}
}

// TestInvitationIsGoodOnce: used, expired, taken back, or by somebody who was revoked since, it is good for
// nothing, whatever restarts between.
func TestInvitationIsGoodOnce(t *testing.T) {
	a := newAgent(t, strict)
	restart := func() {
		dir := a.cfg.dir
		a.close()
		a = startAgent(t, dir, strict)
	}
	share := service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day}
	wants := func(what string, secret auth.OneTimeSecret) {
		t.Helper()
		for range 2 {
			if p, err := accept(t, a, secret); !errors.Is(err, auth.ErrPairingClosed) || a.devices.admits(p.id.DeviceID(), 1) {
				t.Errorf("%s: %v", what, err)
			}
			restart()
		}
	}
	used := a.invite(t, share, administrator)
	restart() // which an open one outlives
	if _, err := accept(t, a, used); err != nil {
		t.Fatal(err)
	}
	wants("used", used)

	share.Name = "ben"
	takenBack := a.invite(t, share, administrator)
	mustNotFail(t, a.manage(service.ManageRequest{Do: "unshare", Device: "ben"}, administrator))
	wants("taken back", takenBack)

	share.Name, share.Accept = "", time.Nanosecond
	wants("expired", a.invite(t, share, administrator))
	share.Accept = 0

	sharer := newMember(t, a, service.Share{Role: auth.RoleAdmin, Services: []string{"*"}, For: 2 * day, Name: "admin"})
	before, kept := a.invite(t, share, sharer.asker()), a.invite(t, share, sharer.asker())
	shared, err := accept(t, a, kept)
	if err != nil {
		t.Fatal(err)
	}
	mustNotFail(t, a.manage(service.ManageRequest{Do: "revoke", Device: "admin", KeepShared: true}, administrator))
	wants("of a revoked sharer", before)
	d, known := a.devices.get(shared.id.DeviceID())
	if !known || a.infoOf(d).SharedBy != sharer.id.DeviceID().Short() {
		t.Errorf("what he has shared before: known %t, shared by %q", known, a.infoOf(d).SharedBy)
	}
	for name, one := range map[string]auth.OneTimeSecret{"wrong": {1, 2, 3}, "none": {}} {
		wants(name, one)
	}
}

// TestWrongInvitation: who knows only which invitation there is gets nothing, and can't use it up for others
// before five tries.
func TestWrongInvitation(t *testing.T) {
	a := newAgent(t, strict)
	secret := a.invite(t, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day}, administrator)
	thief := &phone{t: t, a: a, id: newIdentity(t)}
	attempt := tunnelAttempt(thief, secret)
	attempt.Proof[0] ^= 1
	if _, _, err := a.pair(attempt); !errors.Is(err, auth.ErrPairingProof) {
		t.Errorf("a wrong proof: %v", err)
	}
	replayed := tunnelAttempt(thief, secret)
	replayed.Device = newIdentity(t).PublicKey() // the proof of another device
	if _, _, err := a.pair(replayed); !errors.Is(err, auth.ErrPairingProof) {
		t.Errorf("another device's proof: %v", err)
	}
	if _, err := accept(t, a, secret); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

// TestAcceptTakesNothingAway: an invitation to less does not make an owner a guest, nor is one for oneself.
func TestAcceptTakesNothingAway(t *testing.T) {
	a := newAgent(t, strict)
	owner := newPhone(t, a, "mine")
	guest := service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day}
	if err := owner.pair(a.invite(t, guest, administrator), ""); !errors.Is(err, auth.ErrPairingClosed) || owner.kept().Role != auth.RoleOwner {
		t.Errorf("an owner becomes a guest: %v", err)
	}
	own := service.Share{Role: auth.RoleOwner, Services: []string{"*"}, For: day}
	if err := owner.pair(a.invite(t, own, owner.asker()), ""); !errors.Is(err, auth.ErrPairingClosed) || owner.kept().SharedBy != (auth.DeviceID{}) {
		t.Errorf("an owner accepts his own invitation: %v", err)
	}
	member := newMember(t, a, guest)
	old := member.device.Grant.Serial
	if err := member.pair(a.invite(t, own, administrator), ""); err != nil || member.kept().Role != auth.RoleOwner {
		t.Errorf("a guest becomes an owner: %v", err)
	}
	if a.devices.admits(member.id.DeviceID(), old) {
		t.Error("the guest's grant is still good")
	}
}

// TestUnshare: owners take back everything, admins what they have shared, and it is void at once.
func TestUnshare(t *testing.T) {
	a := newAgent(t, strict)
	admin := newMember(t, a, service.Share{Role: auth.RoleAdmin, Services: []string{"*"}, For: 2 * day, Name: "admin"})
	guest := newMember(t, a, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Name: "anna"})
	theirs, err := accept(t, a, a.invite(t, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Name: "ben"}, admin.asker()))
	if err != nil {
		t.Fatal(err)
	}
	a.invite(t, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Name: "carl"}, administrator)

	list := a.manage(service.ManageRequest{Do: "shares"}, admin.asker())
	if len(list.Devices) != 2 || len(list.Invitations) != 0 || list.Devices[1].SharedBy != "admin" {
		t.Errorf("an admin sees %+v", list)
	}
	if list = a.manage(service.ManageRequest{Do: "shares"}, administrator); len(list.Devices) != 3 || len(list.Invitations) != 1 || list.Invitations[0].URI != "" {
		t.Errorf("the administrator sees %+v", list)
	}
	for whom, want := range map[string]string{"anna": "shared by another", "admin": "shared by another", "carl": "no paired device", "nobody": "no paired device"} {
		mustFail(t, a.manage(service.ManageRequest{Do: "unshare", Device: whom}, admin.asker()), want)
	}
	answer := mustNotFail(t, a.manage(service.ManageRequest{Do: "unshare", Device: "ben"}, admin.asker()))
	if answer.Revoked == nil || a.devices.admits(theirs.id.DeviceID(), theirs.device.Grant.Serial) {
		t.Errorf("not taken back: %+v", answer)
	}
	mustNotFail(t, a.manage(service.ManageRequest{Do: "unshare", Device: "anna"}, administrator))
	if a.devices.admits(guest.id.DeviceID(), guest.device.Grant.Serial) {
		t.Error("the guest is still admitted")
	}
	if answer = mustNotFail(t, a.manage(service.ManageRequest{Do: "unshare", Device: "carl"}, administrator)); answer.Invitation == nil {
		t.Errorf("%+v", answer)
	}
	newPhone(t, a, "paired here")
	mustFail(t, a.manage(service.ManageRequest{Do: "unshare", Device: "paired here"}, administrator), "not invited")
}

// TestNames: what is taken back by its name has one of its own, and an ID goes before a name.
func TestNames(t *testing.T) {
	a := newAgent(t, strict)
	share := service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Name: "anna"}
	anna := newMember(t, a, share)
	mustFail(t, a.manage(service.ManageRequest{Do: "share", Share: &share}, administrator), `has the name "anna"`)
	share.Name = "ben"
	a.invite(t, share, administrator)
	mustFail(t, a.manage(service.ManageRequest{Do: "share", Share: &share}, administrator), `has the name "ben"`)
	newPhone(t, a, anna.id.DeviceID().Short()) // calls itself as anna's ID begins
	if d, err := a.find(anna.id.DeviceID().Short()); err != nil || d.ID != anna.id.DeviceID() {
		t.Errorf("%v, %v", d.Name, err)
	}
	twin := anna.kept()
	twin.ID[31] ^= 1 // the same first group
	if _, err := a.devices.add(twin, func(PairedDevice) ([]byte, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := a.find(twin.ID.Short()); err == nil || !strings.Contains(err.Error(), "by its whole ID") {
		t.Errorf("two IDs that begin alike: %v", err)
	}
	if d, err := a.find(twin.ID.String()); err != nil || d.ID != twin.ID {
		t.Errorf("by the whole ID: %v", err)
	}
}

// TestTooManyInvitations: sixteen are open at once; old ones make room.
func TestTooManyInvitations(t *testing.T) {
	a := newAgent(t, strict)
	share := service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day}
	for range maxInvitations {
		a.invite(t, share, administrator)
	}
	mustFail(t, a.manage(service.ManageRequest{Do: "share", Share: &share}, administrator), "16 invitations are open already")
	mustNotFail(t, a.manage(service.ManageRequest{Do: "unshare", Device: "guest-3"}, administrator))
	a.invite(t, share, administrator)
}
