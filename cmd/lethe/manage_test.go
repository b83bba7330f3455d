package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// TestManage: each command asks what it should, prints what was answered, as a table and as JSON, and passes on
// what the router could not do.
func TestManage(t *testing.T) {
	w := newWorld(t, nil)
	at := time.Date(2026, 5, 6, 7, 8, 0, 0, time.Local)
	anna := service.DeviceInfo{
		ID: newIdentity(t).DeviceID(), Name: "anna-phone", Role: auth.RoleGuest, Services: []string{"http", "personal", "status", "unpair"},
		PairedAt: at, Expires: at.AddDate(0, 0, 2), SharedBy: "laptop",
	}
	owner := service.DeviceInfo{ID: newIdentity(t).DeviceID(), Role: auth.RoleOwner, Services: []string{"*"}, PairedAt: at, Expires: at, LastUsed: at}
	invitation := service.Invitation{
		Name: "anna", URI: "lethe://relay.example.org/pair?router=r&secret=s", Role: auth.RoleGuest, Services: []string{"http"},
		Until: at.AddDate(0, 0, 2), AcceptBy: at, SharedBy: "laptop",
	}
	listed := invitation
	listed.URI = ""
	waiting := service.Waiting{DeviceInfo: anna, Since: at, Reasons: []string{"account_matched", "wifi_unknown", "score_low"}}
	share := &service.Share{Role: auth.RoleGuest, Services: []string{"http", "status"}, For: 48 * time.Hour, Accept: time.Hour, Name: "anna"}
	for name, test := range map[string]struct {
		args   string
		asks   service.ManageRequest
		answer service.ManageAnswer
		prints []string
	}{
		"devices": {"devices home", service.ManageRequest{Do: "devices"}, service.ManageAnswer{Devices: []service.DeviceInfo{anna, owner}},
			[]string{"anna-phone", "http,status", "never", "laptop", " all ", "2026-05-06 07:08"}},
		"revoke": {"revoke home anna-phone", service.ManageRequest{Do: "revoke", Device: "anna-phone"}, service.ManageAnswer{Revoked: &anna},
			[]string{"revoked anna-phone (" + anna.ID.Short()}},
		"share": {"share home --services http,status --for 2d --accept 1h --name anna", service.ManageRequest{Do: "share", Share: share},
			service.ManageAnswer{Invitation: &invitation},
			[]string{"█", "\nlethe://relay.example.org/pair?router=r&secret=s\n", "http of home as guest", "2026-05-08 07:08:00", "lethe unshare home anna"}},
		"share for good": {"share home --role owner --services * --for 0s", service.ManageRequest{Do: "share", Share: &service.Share{
			Role: auth.RoleOwner, Services: []string{"*"}, Accept: 24 * time.Hour,
		}}, service.ManageAnswer{Invitation: &invitation}, []string{"lethe://"}},
		"shares": {"shares home", service.ManageRequest{Do: "shares"}, service.ManageAnswer{Devices: []service.DeviceInfo{anna}, Invitations: []service.Invitation{listed}},
			[]string{"anna-phone (", "guest", "2026-05-08 07:08", "never", "laptop", "invited, to accept by 2026-05-06 07:08"}},
		"no shares": {"shares home", service.ManageRequest{Do: "shares"}, service.ManageAnswer{}, []string{"nothing is shared"}},
		"unshare":   {"unshare home anna", service.ManageRequest{Do: "unshare", Device: "anna"}, service.ManageAnswer{Invitation: &listed}, []string{"took back the invitation anna"}},
		"unshare a device": {"unshare home anna", service.ManageRequest{Do: "unshare", Device: "anna"}, service.ManageAnswer{Revoked: &anna},
			[]string{"took back the access of anna-phone"}},
		"waiting": {"waiting home", service.ManageRequest{Do: "waiting"}, service.ManageAnswer{Waiting: []service.Waiting{waiting}},
			[]string{"anna-phone", "2026-05-06 07:08", "the Wi-Fi is not one that the router knows; the score is too low\n"}},
		"nobody waits": {"waiting home", service.ManageRequest{Do: "waiting"}, service.ManageAnswer{}, []string{"no device waits"}},
		"approve":      {"approve home anna-phone", service.ManageRequest{Do: "approve", Device: "anna-phone"}, service.ManageAnswer{Decided: &anna}, []string{"approved anna-phone"}},
		"reject":       {"approve home anna-phone --reject", service.ManageRequest{Do: "reject", Device: "anna-phone"}, service.ManageAnswer{Decided: &anna}, []string{"rejected anna-phone"}},
	} {
		t.Run(name, func(t *testing.T) {
			through := ""
			w.does(func() {
				w.answer = func(name string, _ service.ManageRequest) service.ManageAnswer {
					w.does(func() { through = name })
					return test.answer
				}
			})
			args := strings.Fields(test.args)
			w.run(args...).want(t, cli.ExitDone, test.prints...)
			if asked := w.lastAsked(); !reflect.DeepEqual(asked, test.asks) || now(w, &through) != service.NameManage {
				t.Errorf("asked %+v of %q", asked, now(w, &through))
			}
			got := w.run(append(args, "--json")...).want(t, cli.ExitDone)
			if !json.Valid([]byte(got.out)) || strings.Contains(got.out, "null") || strings.Contains(got.out, `\u0026`) {
				t.Errorf("JSON:\n%s", got.out)
			}
			w.does(func() {
				w.answer = func(string, service.ManageRequest) service.ManageAnswer {
					return service.ManageAnswer{Error: "only owners may"}
				}
			})
			w.run(args...).want(t, cli.ExitFailed, "only owners may")
		})
	}
}

// TestManageOddAnswers: a router that leaves out the answer is no crash.
func TestManageOddAnswers(t *testing.T) {
	w := newWorld(t, nil)
	w.does(func() {
		w.answer = func(string, service.ManageRequest) service.ManageAnswer { return service.ManageAnswer{} }
	})
	for _, args := range []string{"revoke home x", "share home --services http --for 1h", "unshare home x", "approve home x"} {
		w.run(strings.Fields(args)...).want(t, cli.ExitFailed, "does not fit the question")
	}
}

// TestShareUsage: what can't be shared is found before anybody is asked.
func TestShareUsage(t *testing.T) {
	w := &world{T: t, dir: t.TempDir()}
	for args, want := range map[string]string{
		"--services http --for 1h --role king": "--role must be owner, admin or guest",
		"--services http,*  --for 1h":          `--services: "*" can't be`,
		"--services HTTP --for 1h":             `--services: "HTTP" can't be`,
		"--services http --for 1h --accept 0s": "--accept must be more than 0s",
	} {
		w.run(append([]string{"share", "home"}, strings.Fields(args)...)...).want(t, cli.ExitUsage, want)
	}
}
