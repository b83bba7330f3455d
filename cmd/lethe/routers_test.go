package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/statefile"
)

// TestRoutersBesideDamaged: the routers that can be used are listed, those that can't are named, and the command fails.
func TestRoutersBesideDamaged(t *testing.T) {
	dir := t.TempDir()
	files := filepath.Join(dir, "routers")
	if err := statefile.MkdirPrivate(files); err != nil {
		t.Fatal(err)
	}
	putRouter(t, dir, "home")
	for _, name := range []string{"boat", "cabin"} {
		putFile(t, filepath.Join(files, name+".json"), []byte("{"))
	}
	for _, format := range []string{"table", "json"} {
		var out bytes.Buffer
		root := command()
		root.SilenceErrors, root.SilenceUsage = true, true
		root.SetOut(&out)
		root.SetArgs([]string{"--dir", dir, "routers", "--json=" + fmt.Sprint(format == "json")})
		err := root.Execute()
		if !strings.Contains(out.String(), "home") || strings.Contains(out.String(), "boat") {
			t.Errorf("%s: want home and no boat, got\n%s", format, out.String())
		}
		if err == nil || cli.TunnelCode(err) != cli.ExitFailed {
			t.Fatalf("%s: the error is %v", format, err)
		}
		for i, line := range strings.Split(err.Error(), "\n") {
			if want := filepath.Join(files, []string{"boat", "cabin"}[i]+".json can't be used: "); !strings.HasPrefix(line, want) {
				t.Errorf("%s: sentence %d is %q, want %q", format, i, line, want)
			}
		}
	}
	names, directive := (&options{dir: dir}).completeRouter(nil, nil, "")
	if len(names) != 1 || names[0] != "home" || directive != cobra.ShellCompDirectiveNoFileComp {
		t.Errorf("completion offers %v, %v; want home", names, directive)
	}
}

// putRouter makes the files of a device that is paired with one router.
func putRouter(t *testing.T, dir, name string) {
	t.Helper()
	router, device := newIdentity(t), newIdentity(t)
	key, err := device.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	grant, err := auth.Issue(router, auth.Grant{
		Device: device.PublicKey(), Role: auth.RoleOwner, Services: []string{auth.AllServices},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), Serial: 1,
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	putPaired(t, dir, name, key, auth.RelayURL{Host: "relay.example.org:443", Pin: auth.RelayPin{3}}, router.RouterID(), grant)
}

// putPaired makes the files of a device that is paired with this router; the pairing secret is testSecret.
func putPaired(t *testing.T, dir, name string, key []byte, relay auth.RelayURL, router auth.RouterID, grant []byte) {
	t.Helper()
	if err := statefile.MkdirPrivate(filepath.Join(dir, "routers")); err != nil {
		t.Fatal(err)
	}
	putFile(t, filepath.Join(dir, "device.key"), key)
	putFile(t, filepath.Join(dir, "routers", name+"-cert.pub"), auth.GrantFile(grant))
	putFile(t, filepath.Join(dir, "routers", name+".json"), fmt.Appendf(nil, `{"relay": %q, "router": %q, "paired_at": "2026-01-02T03:04:05Z", "pairing_secret": %q}`,
		relay, router, base64.StdEncoding.EncodeToString(testSecret[:])))
}

func putFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := statefile.Write(path, data); err != nil {
		t.Fatal(err)
	}
}
