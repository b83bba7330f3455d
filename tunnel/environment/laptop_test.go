//go:build unix

package environment

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// What the real programs would do.
const (
	nmcliArgs = "--terse --escape no --fields ACTIVE,SSID-HEX,BSSID device wifi list --rescan no"

	nmcliHome = `printf '%s\n' no:4E:F0:9F:C2:00:00:01 yes:486F6D65:3C:84:6A:12:34:56`
	nmcliNone = `printf '%s\n' no:4E:F0:9F:C2:00:00:01`
	nmcliDown = `echo 'Error: NetworkManager is not running.' >&2; exit 8`
	iwOffice  = `case "$*" in
dev) printf 'phy#1\n\tInterface wlan1\n\t\ttype managed\nphy#0\n\tInterface wlan0\n\t\ttype managed\n' ;;
'dev wlan1 link') echo 'Not connected.' ;;
'dev wlan0 link') printf 'Connected to f0:9f:c2:00:00:02 (on wlan0)\n\tSSID: Caf\\xc3\\xa9\n\tfreq: 5180\n' ;;
*) exit 2 ;;
esac`
	iwNoRights = `echo 'nl80211 not found.' >&2; exit 1`
)

func TestConnected(t *testing.T) {
	office := &ecv.Network{SSID: "Café", BSSID: [6]byte{0xf0, 0x9f, 0xc2, 0, 0, 2}}
	for name, c := range map[string]struct {
		nmcli, iw string
		want      *ecv.Network
	}{
		"no programs":                   {"", "", nil},
		"NetworkManager":                {nmcliHome, "", home()},
		"NetworkManager is asked first": {nmcliHome, iwOffice, home()},
		"iw alone":                      {"", iwOffice, office},
		"NetworkManager not running":    {nmcliDown, iwOffice, office},
		"NetworkManager not connected":  {nmcliNone, iwOffice, office},
		"no rights":                     {nmcliDown, iwNoRights, nil},
		"fails after its answer":        {nmcliHome + "; exit 1", "", nil},
		"asked as it should be":         {`[ "$*" = "` + nmcliArgs + `" ] && ` + nmcliHome, "", home()},
		"asked in plain English":        {`[ "$LC_ALL" = C ] && ` + nmcliHome, "", home()},
		"prints too much":               {nmcliHome + printMore(maxOutput), iwOffice, office},
		"prints much":                   {nmcliHome + printMore(maxOutput/2), iwOffice, home()},
		"prints for ever":               {`while :; do ` + nmcliHome + `; done`, iwOffice, office},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("LC_ALL", "de_DE.UTF-8")
			programs(t, c.nmcli, c.iw)
			before := time.Now()
			e, err := Laptop{}.Evidence(t.Context())
			if err != nil || e.Place != nil {
				t.Fatalf("%+v, %v", e, err)
			}
			if e.WiFi != nil {
				if e.WiFi.Seen.Before(before) || e.WiFi.Seen.After(time.Now()) {
					t.Errorf("seen at %v", e.WiFi.Seen)
				}
				e.WiFi.Seen = time.Time{}
			}
			checkNetwork(t, name, e.WiFi, c.want)
		})
	}
}

// What was given replaces what is collected, each feature for itself. Then
// nobody is asked: a user who shows nothing does not want it looked up either.
func TestGivenReplaces(t *testing.T) {
	dir := t.TempDir()
	asked := filepath.Join(dir, "asked")
	programs(t, `: >`+asked+`; `+nmcliHome, "")
	for name, c := range map[string]struct {
		laptop Laptop
		wifi   string // the network's name
		place  bool
	}{
		"place, no network": {Laptop{WiFi: Given[ecv.Network]{said: true}, Place: givenPlace(t, 1, 2)}, "", true},
		"network, no place": {Laptop{WiFi: givenNetwork("Given", [6]byte{}), Place: Given[ecv.Place]{said: true}}, "Given", false},
		"place":             {Laptop{Place: givenPlace(t, 1, 2)}, "Home", true},
	} {
		os.Remove(asked)
		e, err := c.laptop.Evidence(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if (e.WiFi == nil) != (c.wifi == "") || e.WiFi != nil && e.WiFi.SSID != c.wifi || (e.Place != nil) != c.place {
			t.Errorf("%s: %+v, %+v", name, e.WiFi, e.Place)
		}
		if _, err := os.Stat(asked); (err == nil) == c.laptop.WiFi.said {
			t.Errorf("%s: asked is wrong: %v", name, err)
		}
	}
}

// A program that hangs is ended after its time, and the next one is asked.
func TestProgramHangs(t *testing.T) {
	started, never := filepath.Join(t.TempDir(), "started"), fifo(t)
	programs(t, `echo $$ >`+started+`; read -r _ <`+never, iwOffice)
	e, err := Laptop{}.Evidence(t.Context())
	if err != nil || e.WiFi == nil || e.WiFi.SSID != "Café" {
		t.Fatalf("%+v, %v", e.WiFi, err)
	}
	checkEnded(t, firstLine(started))
}

// A program ends with the context of who asks.
func TestContextEndsProgram(t *testing.T) {
	started, never := fifo(t), fifo(t)
	programs(t, `echo $$ >`+started+`; read -r _ <`+never, iwOffice)
	ctx, cancel := context.WithCancel(t.Context())
	pid := make(chan string, 1)
	go func() {
		line := firstLine(started)
		cancel()
		pid <- line
	}()
	e, err := Laptop{}.Evidence(ctx)
	if err != context.Canceled || e != (ecv.Evidence{}) {
		t.Fatalf("%+v, %v", e, err)
	}
	checkEnded(t, <-pid)
}

// A program that leaves another one behind, which holds its output, is not
// waited for.
func TestOutputHeldOpen(t *testing.T) {
	release := fifo(t)
	programs(t, `{ read -r _ <`+release+`; } & `+nmcliHome, iwOffice)
	e, err := Laptop{}.Evidence(t.Context())
	if err != nil || e.WiFi == nil || e.WiFi.SSID != "Café" {
		t.Errorf("%+v, %v", e.WiFi, err)
	}
	w, err := os.OpenFile(release, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}

// A program in the current folder is not what was meant.
func TestCurrentFolder(t *testing.T) {
	programs(t, nmcliHome, "")
	t.Chdir(os.Getenv("PATH"))
	t.Setenv("PATH", ".")
	if n := connected(t.Context()); n != nil {
		t.Errorf("%+v", n)
	}
}

// programs makes PATH a folder with these scripts; an empty one is not there.
func programs(t *testing.T, nmcli, iw string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range map[string]string{"nmcli": nmcli, "iw": iw} {
		if script == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

// printMore is a script that prints n bytes more, in lines of 1024.
func printMore(n int) string {
	line := strings.Repeat("#", 1023)
	return "\ni=0; while [ $i -lt " + strconv.Itoa(n/1024) + " ]; do echo '" + line + "'; i=$((i+1)); done"
}

func fifo(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// firstLine waits for a writer if name is a fifo.
func firstLine(name string) string {
	b, _ := os.ReadFile(name)
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

func checkEnded(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, 0); err != syscall.ESRCH {
		t.Errorf("the program still runs: %v", err)
	}
}
