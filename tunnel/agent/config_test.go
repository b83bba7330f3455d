package agent

import (
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/auth"
)

func newIdentity(t testing.TB) *auth.Identity {
	t.Helper()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

const testRelay = "lethe://127.0.0.1:4433?token=AQAAAAAAAAAAAAAAAAAAAA"

// newDir is a directory that Init has made.
func newDir(t *testing.T) (dir, path string) {
	t.Helper()
	url, err := auth.ParseRelayURL(testRelay)
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "agent")
	if path, err = Init(dir, url); err != nil {
		t.Fatal(err)
	}
	return dir, path
}

func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// wantSentence compares an error with a sentence in which DIR stands for the directory.
func wantSentence(t *testing.T, err error, dir, want string) {
	t.Helper()
	want = strings.ReplaceAll(want, "DIR", dir)
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestInit(t *testing.T) {
	dir, path := newDir(t)
	cfg, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Relay.String() != testRelay || cfg.Name == "" || len(cfg.Services) != 1 || cfg.Services[0].Name != "http" {
		t.Errorf("%+v", cfg)
	}
	for _, name := range []string{configFile, keyFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	before, _ := os.ReadFile(filepath.Join(dir, keyFile))
	for _, gone := range []string{"", configFile} {
		os.Remove(filepath.Join(dir, gone)) // of the directory itself it fails, and is meant to
		_, err = Init(dir, cfg.Relay)
		wantSentence(t, err, dir, "DIR/")
		if !strings.Contains(err.Error(), "is there already: 'lethe-agent run --config "+path+"' starts that agent") {
			t.Error(err)
		}
	}
	if after, _ := os.ReadFile(filepath.Join(dir, keyFile)); string(after) != string(before) {
		t.Error("Init has replaced a key")
	}
}

// TestLoadConfigErrors: one sentence that says what is wrong, and where.
func TestLoadConfigErrors(t *testing.T) {
	const relayLine = "relay: " + testRelay + "\n"
	for name, test := range map[string]struct{ text, want string }{
		"no relay":     {"name: home\n", "DIR/agent.yaml: relay: is missing; take the URL from 'lethe-relay url' on the relay"},
		"bad relay":    {"relay: http://x\n", "DIR/agent.yaml:1:8: relay: not a relay URL"},
		"pairing URI":  {"relay: lethe://x/pair?router=a\n", "DIR/agent.yaml:1:8: relay: this is a pairing URI, for `lethe pair`"},
		"unknown key":  {relayLine + "nam: home\n", "DIR/agent.yaml:2:1: nam: "},
		"bad name":     {relayLine + "name: \"a\\nb\"\n", "DIR/agent.yaml:2:7: name: must be one line of at most 64 bytes"},
		"bad service":  {relayLine + "services: [{name: UPPER, target: \"tcp:127.0.0.1:80\"}]\n", "DIR/agent.yaml:2:"},
		"own service":  {relayLine + "services: [{name: status, target: \"tcp:127.0.0.1:80\"}]\n", "DIR/agent.yaml:2:"},
		"bad target":   {relayLine + "services: [{name: http, target: \"udp:127.0.0.1:80\"}]\n", "DIR/agent.yaml:2:33: services[0].target: "},
		"twice":        {relayLine + "services: [{name: a, target: \"tcp:127.0.0.1:80\"}, {name: a, target: \"tcp:127.0.0.1:81\"}]\n", "DIR/agent.yaml:2:58: services[1].name: is used twice"},
		"services":     {relayLine + "services: [" + strings.Join(slices.Repeat([]string{`{name: a, target: "tcp:127.0.0.1:80"}`}, 60), ", ") + "]\n", "DIR/agent.yaml:2:11: services: has 60 services; a router can offer 59: leave some out"},
		"no YAML":      {"relay: [\n", "DIR/agent.yaml:"},
		"another file": {"\x7fELF\x00", "DIR/agent.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path := newDir(t)
			write(t, path, test.text, 0o600)
			_, err := LoadConfig(path)
			wantSentence(t, err, dir, test.want)
			if err != nil && strings.Contains(err.Error(), "AQAAAA") {
				t.Errorf("the token is in %v", err)
			}
		})
	}
	dir, path := newDir(t)
	os.Chmod(path, 0o644)
	_, err := LoadConfig(path)
	wantSentence(t, err, dir, "can't use DIR/agent.yaml: it is not private (mode 0644); if nobody else can have read it, run: chmod 600 DIR/agent.yaml")
	os.Remove(path)
	_, err = LoadConfig(path)
	wantSentence(t, err, dir, "there is no configuration at DIR/agent.yaml: 'lethe-agent init --dir DIR --relay URL' writes one")
}

// TestNewErrors: an agent that can't start says what, where, and how to mend it, and leaves its directory free.
func TestNewErrors(t *testing.T) {
	for name, test := range map[string]struct {
		file, text string
		mode       os.FileMode
		want       string
	}{
		"no key":            {keyFile, "", 0, "there is no router key at DIR/router.key: restore it from a backup, or remove DIR/agent.yaml and run 'lethe-agent init', and pair all devices again"},
		"empty key":         {keyFile, "", 0o600, "DIR/router.key: the identity file can't be used: it is empty; restore it from a backup; if there is no backup, remove it and DIR/agent.yaml, run 'lethe-agent init', and pair all devices again"},
		"key of others":     {keyFile, "x", 0o640, "can't use DIR/router.key: it is not private (mode 0640)"},
		"devices cut":       {devicesFile, `{"devices": [{"id": "`, 0o600, "DIR/devices.json is damaged: unexpected EOF; restore it from a backup, or remove it and pair all devices again"},
		"devices of later":  {devicesFile, `{"devices": [], "more": 1}`, 0o600, `DIR/devices.json is damaged: json: unknown field "more"`},
		"devices with typo": {devicesFile, `{"devices": [{"id": "aaaa"}]}`, 0o600, "DIR/devices.json is damaged: "},
		"devices and more":  {devicesFile, `{"devices": []} {}`, 0o600, "DIR/devices.json is damaged: something stands behind the end of the JSON value; restore it"},
		"devices of others": {devicesFile, `{}`, 0o666, "can't use DIR/devices.json: it is not private (mode 0666)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path := newDir(t)
			cfg, err := LoadConfig(path)
			if err != nil {
				t.Fatal(err)
			}
			kept, _ := os.ReadFile(filepath.Join(dir, test.file))
			os.Remove(filepath.Join(dir, test.file))
			if test.mode != 0 {
				write(t, filepath.Join(dir, test.file), test.text, test.mode)
			}
			_, err = New(cfg, "", slog.New(slog.DiscardHandler))
			wantSentence(t, err, dir, test.want)

			os.Remove(filepath.Join(dir, test.file))
			if len(kept) > 0 {
				write(t, filepath.Join(dir, test.file), string(kept), 0o600)
			}
			a, err := New(cfg, "", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatalf("after the repair: %v", err)
			}
			a.admin.Close()
			a.unlock()
		})
	}
}
