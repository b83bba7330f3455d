package relay

import (
	"errors"
	"flag"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/internal/statefile"
)

var update = flag.Bool("update", false, "write the golden error texts in testdata/config")

// TestConfigs loads every file of testdata/config. NAME.err is the error that
// NAME.yaml must give; a file without one must load.
func TestConfigs(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d configurations found, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".yaml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			golden, err := filepath.Abs(name + ".err")
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir()) // errors name the file as it was given
			if err := os.WriteFile(configFile, data, 0o600); err != nil {
				t.Fatal(err)
			}
			got := ""
			if _, err := LoadConfig(configFile); err != nil {
				got = err.Error() + "\n"
			}
			if *update && got != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(got, "hunter2") {
				t.Error("the error shows the token")
			}
		})
	}
}

func TestLoadConfigMissing(t *testing.T) {
	_, err := LoadConfig("nowhere/relay.yaml")
	if err == nil || !strings.Contains(err.Error(), "lethe-relay init --dir nowhere") {
		t.Errorf("%v; want the command that writes one", err)
	}
}

func TestLoadConfigThatOthersCanRead(t *testing.T) {
	path, _ := initRelay(t)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig(path); !errors.Is(err, statefile.ErrNotPrivate) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("%v; want it refused, with the command that mends it", err)
	}
}

// initRelay makes a relay that listens on a free port of loopback.
func initRelay(t *testing.T) (path string, cfg *Config) {
	t.Helper()
	path, err := Init(filepath.Join(t.TempDir(), "new"), netip.MustParseAddrPort("127.0.0.1:0"), "")
	if err != nil {
		t.Fatal(err)
	}
	if cfg, err = LoadConfig(path); err != nil {
		t.Fatal(err)
	}
	if cfg.Lockdown != usualLockdown() {
		t.Errorf("a new relay has lockdown: %s", cfg.Lockdown)
	}
	cfg.Lockdown = lockdown.Off // the test shares its process
	return path, cfg
}

func TestInit(t *testing.T) {
	path, cfg := initRelay(t)
	dir := filepath.Dir(path)
	for name, want := range map[string]fs.FileMode{
		dir: 0o700 | fs.ModeDir, path: 0o600, filepath.Join(dir, keyFile): 0o600,
	} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v, want %v", filepath.Base(name), info.Mode(), err, want)
		}
	}

	// What it writes out are the defaults.
	want := defaults()
	want.Listen, want.EnrolmentToken, want.dir, want.Lockdown = cfg.Listen, cfg.EnrolmentToken, dir, lockdown.Off
	if !reflect.DeepEqual(*cfg, want) {
		t.Errorf("got  %+v\nwant %+v", *cfg, want)
	}
	if cfg.EnrolmentToken.IsZero() {
		t.Error("there is no token")
	}
	_, other := initRelay(t)
	if other.EnrolmentToken == cfg.EnrolmentToken {
		t.Error("two relays have one token")
	}
}

func TestInitLeavesWhatIsThereAlone(t *testing.T) {
	for _, keep := range []string{configFile, keyFile} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, keep), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Init(dir, DefaultListen, ""); err == nil || !strings.Contains(err.Error(), "there already") {
			t.Errorf("%s is there: %v", keep, err)
		}
		if data, err := os.ReadFile(filepath.Join(dir, keep)); err != nil || string(data) != "mine" {
			t.Errorf("%s was overwritten: %q, %v", keep, data, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%d files are there after a refusal", len(entries))
		}
	}
}

func TestInitRefusesWhatNobodyCanDial(t *testing.T) {
	for _, public := range []string{"relay.example.org", ":443", "relay.example.org:https", "lethe://relay.example.org:443", "a b:443"} {
		dir := filepath.Join(t.TempDir(), "new")
		if _, err := Init(dir, DefaultListen, public); err == nil || !strings.Contains(err.Error(), "give HOST:PORT") {
			t.Errorf("%q: %v", public, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: something was written", public)
		}
	}
}

func TestURL(t *testing.T) {
	for _, tt := range []struct{ listen, public, want string }{
		{"192.0.2.1:443", "", "192.0.2.1:443"},
		{"192.0.2.1:8443", "relay.example.org:443", "relay.example.org:443"},
		{"[2001:db8::1]:443", "", "[2001:db8::1]:443"},
		{"127.0.0.1:0", "relay.example.org:443", "relay.example.org:443"},
	} {
		path, err := Init(t.TempDir(), netip.MustParseAddrPort(tt.listen), tt.public)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := LoadConfig(path)
		if err != nil {
			t.Fatal(err)
		}
		url, err := cfg.URL()
		if err != nil || url.Host != tt.want || url.Token != cfg.EnrolmentToken || url.Pin.IsZero() {
			t.Errorf("listening on %s: %v, %v, want %s with pin and token", tt.listen, url.Redacted(), err, tt.want)
		}
		if again, err := auth.ParseRelayURL(url.String()); err != nil || again != url {
			t.Errorf("the URL reads back as %v, %v", again.Redacted(), err)
		}
		if again, err := cfg.URL(); err != nil || again != url {
			t.Errorf("the second time the URL is another: %v", err)
		}
	}
}

// TestURLOfAllAddresses: nobody can dial [::].
func TestURLOfAllAddresses(t *testing.T) {
	path, err := Init(t.TempDir(), DefaultListen, "")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	url, err := cfg.URL()
	if err != nil {
		t.Fatal(err)
	}
	if host := netip.MustParseAddrPort(url.Host); host.Addr().IsUnspecified() || host.Port() != 443 {
		t.Errorf("the URL names %v", host)
	}
}

func TestURLErrors(t *testing.T) {
	_, cfg := initRelay(t)
	if _, err := cfg.URL(); err == nil || !strings.Contains(err.Error(), "printed then") {
		t.Errorf("port 0: %v", err)
	}
	cfg.Public = "relay.example.org:443"
	if err := os.Remove(cfg.path(cfg.Key)); err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.URL(); err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("no key: %v", err)
	}
	if err := os.WriteFile(cfg.path(cfg.Key), []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.URL(); !errors.Is(err, auth.ErrIdentity) || !strings.Contains(err.Error(), keyFile) {
		t.Errorf("a corrupt key: %v", err)
	}
}
