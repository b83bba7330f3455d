package agent

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// newBusyPhone is an owner's phone about which everything is kept that can be: "mine" has shared with "anna",
// invited "ben", guessed PINs, confirmed, and revoked somebody.
func newBusyPhone(t *testing.T, a *Agent) (mine *phone, anna *phone) {
	t.Helper()
	mine = newKnownPhone(t, a)
	mine.open(atHome) // the grant of the pairing is void now
	anna, err := accept(t, a, a.invite(t, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Name: "anna"}, mine.asker()))
	if err != nil {
		t.Fatal(err)
	}
	a.invite(t, service.Share{Role: auth.RoleGuest, Services: []string{"http"}, For: day, Name: "ben"}, mine.asker())
	newPhone(t, a, "lost")
	mustNotFail(t, a.manage(service.ManageRequest{Do: "revoke", Device: "lost"}, mine.asker()))
	if err := a.cfg.SetPIN(testPIN); err != nil {
		t.Fatal(err)
	}
	for _, entered := range []string{testPIN, "000001"} {
		a.confirm(t.Context(), mine.at(hotel), entered)
	}
	return mine, anna
}

// TestExport: it shows everything that is kept about a device, field by field, and no secret.
func TestExport(t *testing.T) {
	a := newAgent(t, strict)
	mine, anna := newBusyPhone(t, a)
	answer := mustNotFail(t, a.personal(service.ManageRequest{Do: "export"}, mine.asker()))
	var h Holdings
	if err := json.Unmarshal(answer.Export, &h); err != nil {
		t.Fatal(err)
	}
	one := mine.kept()
	if h.Device.ID != one.ID || h.Device.Name != "mine" || !reflect.DeepEqual(h.Device.Services, []string{"*"}) ||
		!slices.Contains(h.Grants, one.Serial) || !slices.Contains(h.Grants, one.Replaced) || h.Void != mine.device.Grant.Serial-1 ||
		len(h.Learned) != 2 || !reflect.DeepEqual(h.Learned, one.Learned) || h.Place.Cell != one.Place.Cell ||
		len(h.Invitations) != 1 || h.Invitations[0].Name != "ben" || !slices.Equal(h.SharedWith, []string{"anna"}) ||
		len(h.Decisions) != len(a.journal.Entries(one.ID, time.Time{})) || len(h.Caused) == 0 || len(h.Retention) != 2 {
		t.Errorf("left out something of\n%+v\nin\n%s", one, answer.Export)
	}
	for name, secret := range map[string][]byte{"pairing secret": one.Secret, "invitation": a.invitations.list()[0].Secret[:]} {
		for _, form := range []string{base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret), hex.EncodeToString(secret)} {
			if strings.Contains(string(answer.Export), form) {
				t.Errorf("the %s is in the export", name)
			}
		}
	}
	if id := anna.id.DeviceID().String(); strings.Contains(string(answer.Export), id) {
		t.Error("another person's ID is in the export")
	}
	mustFail(t, a.personal(service.ManageRequest{Do: "shares"}, mine.asker()), `can't "shares"`)
}

// TestExportIsComplete: each field of what is kept is one that the export was written for. Who adds one adds it there.
func TestExportIsComplete(t *testing.T) {
	known := strings.Fields("ID Name Role Services SharedBy Orphan Invited First Serial Replaced PairedAt Expires LastUsed Secret Learned Place")
	var fields []string
	for field := range reflect.TypeFor[PairedDevice]().Fields() {
		fields = append(fields, field.Name)
	}
	if !slices.Equal(fields, known) {
		t.Errorf("a device has the fields %v; see that 'export' and 'forget' know them all", fields)
	}
}

// content is all that stands in the agent's files, but for its keys and configuration.
func content(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestForget: of a device that had itself forgotten nothing is left in any file, but its ID in the word that its
// grants are void; and it gets that in writing.
func TestForget(t *testing.T) {
	a := newAgent(t, strict)
	mine, anna := newBusyPhone(t, a)
	one, id := mine.kept(), mine.id.DeviceID()
	a.close() // all is on the disk
	a = startAgent(t, a.cfg.dir, strict)
	mine.a, anna.a = a, a
	traces := map[string]string{
		"ID": id.String(), "name": `"mine"`, "secret": base64.StdEncoding.EncodeToString(one.Secret), "invitation": `"ben"`,
		"environment": hex.EncodeToString(one.Learned[0].Tags[0].ID[:]), "place": itoa64(one.Place.Cell),
	}
	before := content(t, a.cfg.dir)
	for what, trace := range traces {
		if !strings.Contains(before, trace) {
			t.Errorf("the test is blind: the %s is in no file", what)
		}
	}
	if n := strings.Count(before, id.String()); n < 6 {
		t.Errorf("the ID is there %d times only", n)
	}

	answer := mustNotFail(t, a.withdraw(service.ManageRequest{Do: "forget"}, mine.asker()))
	router := a.identity.PublicKey()
	if err := answer.Receipt.Verify(router); err != nil || answer.Receipt.Device != id || answer.Receipt.Router != a.RouterID() || len(answer.Receipt.Erased) != 7 {
		t.Errorf("receipt %+v: %v", answer.Receipt, err)
	}
	a.judge(mine.at(atHome)) // a tunnel that is just ending leaves no trace either
	a.confirm(t.Context(), mine.at(hotel), "000002")
	a.noteAbout(journal.Entry{At: time.Now(), Device: id, Event: journal.Confirmed}) // nor a decision of the same moment
	a.close()
	after := content(t, a.cfg.dir)
	for what, trace := range traces {
		if what != "ID" && strings.Contains(after, trace) {
			t.Errorf("the %s is still in a file", what)
		}
	}
	if n := strings.Count(after, id.String()); n != 1 {
		t.Errorf("the ID is there %d times, want once, among what is revoked", n)
	}
	a = startAgent(t, a.cfg.dir, strict)
	list, err := auth.ParseRevocations(a.devices.revoked())
	if err != nil || !list.Revoked(id, one.Serial) || a.devices.admits(id, one.Serial) {
		t.Errorf("its grants are good: %+v, %v", list, err)
	}
	if d, known := a.devices.get(anna.id.DeviceID()); !known || a.infoOf(d).SharedBy != "a forgotten device" {
		t.Errorf("whom it has shared with: known %t, shared by %q", known, a.infoOf(d).SharedBy)
	}
	a.prune(time.Now().Add(2 * grantLifetime))
	a.close()
	if strings.Contains(content(t, a.cfg.dir), id.String()) {
		t.Error("the ID outlives its grants")
	}
}

// TestAdministratorForgets: on the router, for a device that is lost.
func TestAdministratorForgets(t *testing.T) {
	a := newAgent(t, strict)
	mine := newKnownPhone(t, a)
	mustNotFail(t, a.administer(service.ManageRequest{Do: "export", Device: "mine"}))
	answer := mustNotFail(t, a.administer(service.ManageRequest{Do: "forget", Device: "mine"}))
	if err := answer.Receipt.Verify(a.identity.PublicKey()); err != nil {
		t.Error(err)
	}
	for _, do := range []string{"export", "forget", "log"} {
		mustFail(t, a.administer(service.ManageRequest{Do: do, Device: "mine"}), "no paired device")
	}
	if found := mustNotFail(t, a.administer(service.ManageRequest{Do: "log", Device: mine.id.DeviceID().String()})); string(found.Log) != "null" {
		t.Errorf("log: %s", found.Log)
	}
}

// TestLogOfTheRevoked: decisions about a device that has left the list are found by its ID.
func TestLogOfTheRevoked(t *testing.T) {
	a := newAgent(t, strict)
	mine := newKnownPhone(t, a)
	mustNotFail(t, a.administer(service.ManageRequest{Do: "revoke", Device: "mine"}))
	answer := mustNotFail(t, a.administer(service.ManageRequest{Do: "log", Device: mine.id.DeviceID().String()}))
	for _, word := range []string{"paired", "opened", "nothing_learned", "revoked"} {
		if !strings.Contains(string(answer.Log), word) {
			t.Errorf("no %q in %s", word, answer.Log)
		}
	}
}
