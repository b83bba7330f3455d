package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// TestExport: what all three hold, without a secret.
func TestExport(t *testing.T) {
	w := newWorld(t, nil)
	store := w.store()
	login := device.Login{Issuer: "https://id.example", ClientID: "lethe", IDToken: "a.secret.token", Expires: time.Now().Add(time.Hour)}
	if err := store.KeepLogin(onlyRouter(t, store).Relay, login); err != nil {
		t.Fatal(err)
	}
	w.does(func() {
		w.answer = func(through string, r service.ManageRequest) service.ManageAnswer {
			if through != service.NamePersonal || r.Do != "export" {
				t.Errorf("asked for %q through %q", r.Do, through)
			}
			return service.ManageAnswer{Export: json.RawMessage(`{"name": "a phone"}`)}
		}
	})
	got := w.run("export", "home").want(t, cli.ExitDone, `"a phone"`, `"connections"`, "secrets_held", "pairing secret", "https://id.example", `"wifi": 1`)
	var all exported
	if err := json.Unmarshal([]byte(got.out), &all); err != nil {
		t.Fatal(err)
	}
	if all.Device.Device != w.device.DeviceID() || all.Relay.Connections == 0 || len(all.Device.Secrets) != 3 {
		t.Errorf("got %s", got.out)
	}
	key, _ := w.device.MarshalPEM()
	for _, secret := range []string{
		login.IDToken, base64.StdEncoding.EncodeToString(testSecret[:]), hex.EncodeToString(testSecret[:]), strings.Split(string(key), "\n")[1],
	} {
		if strings.Contains(got.out, secret) {
			t.Errorf("a secret is in\n%s", got.out)
		}
	}
	w.does(func() {
		w.answer = func(string, service.ManageRequest) service.ManageAnswer { return service.ManageAnswer{} }
	})
	w.run("export", "home").want(t, cli.ExitFailed, "does not fit the question")
}

func onlyRouter(t *testing.T, s *device.Store) *device.Router {
	t.Helper()
	r, err := s.Router("home")
	if err != nil {
		t.Fatal(err)
	}
	return r
}
