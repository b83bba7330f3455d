package auth

import (
	"crypto/rand"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func sshKeygen(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ssh-keygen %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSSHKeygenPrintsGrants(t *testing.T) {
	v := grantVectors(t)[1]
	out := sshKeygen(t, "-L", "-f", writeFile(t, "home-cert.pub", []byte(v.File)))
	out = strings.Join(strings.Fields(out), " ")
	router := ssh.FingerprintSHA256(sshKey(t, identityOf(t, v.RouterSeed[0]).PublicKey()))
	for _, want := range []string{
		"Type: ssh-ed25519-cert-v01@openssh.com user certificate",
		"Signing CA: ED25519 " + router,
		`Key ID: "` + DeviceIDOf([]byte(v.Device)).Short() + `"`,
		"Serial: 9223372036854775813",
		"Valid: from 2025-01-01T00:00:00 to 2025-01-01T01:00:00",
		"Principals: guest Critical Options: services@lethe",
		"Extensions: (none)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("ssh-keygen -L does not print %q but\n%s", want, out)
		}
	}
}

// The format is OpenSSH's own: what ssh-keygen signs with the router's key is
// a grant when it holds what a grant must, and none otherwise.
func TestSSHKeygenSignsGrants(t *testing.T) {
	router, device := identityOf(t, 1), identityOf(t, 2)
	block, err := ssh.MarshalPrivateKey(router.key, "")
	if err != nil {
		t.Fatal(err)
	}
	sign := func(args ...string) []byte {
		t.Helper()
		ca := writeFile(t, "router", pem.EncodeToMemory(block))
		pub := writeFile(t, "device.pub", ssh.MarshalAuthorizedKey(sshKey(t, device.PublicKey())))
		sshKeygen(t, append(append([]string{"-q", "-s", ca, "-I", device.DeviceID().Short(), "-n", "admin",
			"-z", "42", "-V", "20250101000000:20260101000000"}, args...), pub)...)
		file, err := os.ReadFile(strings.TrimSuffix(pub, ".pub") + "-cert.pub")
		if err != nil {
			t.Fatal(err)
		}
		raw, err := ParseGrantFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	now := grantVectors(t)[0].grant().NotBefore
	g, err := Verify(sign("-O", "clear", "-O", "critical:services@lethe=http,ssh"), router.RouterID(), device.PublicKey(), now)
	if err != nil || g.Role != RoleAdmin || g.Serial != 42 || !g.NotBefore.Equal(now) || !g.Allows("ssh") || g.Allows("files") {
		t.Errorf("%+v, %v", g, err)
	}
	for name, c := range map[string]struct {
		args []string
		want error
	}{
		"ssh-keygen's usual extensions": {[]string{"-O", "critical:services@lethe=*"}, ErrGrantExtension},
		"no services":                   {[]string{"-O", "clear"}, ErrGrantServices},
		"a forced command":              {[]string{"-O", "clear", "-O", "critical:services@lethe=*", "-O", "force-command=id"}, ErrGrantUnknownCritical},
		"a host certificate":            {[]string{"-h", "-O", "clear"}, ErrGrantMalformed},
	} {
		if _, err := Verify(sign(c.args...), router.RouterID(), device.PublicKey(), now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	v := grantVectors(b)[0]
	router := identityOf(b, 1)
	raw, err := Issue(router, v.grant(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Verify(raw, router.RouterID(), v.grant().Device, v.grant().NotBefore); err != nil {
			b.Fatal(err)
		}
	}
}
