package auth

import (
	"encoding/pem"
	"errors"
	"fmt"
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
	for _, c := range []struct {
		vector grantVector
		want   []string
	}{
		{grantVectors(t)[1], []string{
			"Serial: 9223372036854775813",
			"Valid: from 2025-01-01T00:00:00 to 2025-01-01T01:00:00",
			"Principals: guest Critical Options: " + printedOption(optionServices, "http,ssh") + " Extensions: (none)",
		}},
		{environmentVector(t), []string{
			"Serial: 7",
			"Valid: from 2025-01-01T00:00:00 to 2026-01-01T00:00:00",
			"Principals: owner Critical Options: " +
				printedOption(optionAccepted, string(environmentVector(t).Accepted)) + " " +
				printedOption(optionPolicy, environmentVector(t).Policy) + " " +
				printedOption(optionServices, "*") + " Extensions: (none)",
		}},
	} {
		v := c.vector
		out := sshKeygen(t, "-L", "-f", writeFile(t, "home-cert.pub", []byte(v.File)))
		out = strings.Join(strings.Fields(out), " ")
		for _, want := range append(c.want,
			"Type: ssh-ed25519-cert-v01@openssh.com user certificate",
			"Signing CA: ED25519 "+ssh.FingerprintSHA256(sshKey(t, identityOf(t, v.RouterSeed[0]).PublicKey())),
			`Key ID: "`+DeviceIDOf([]byte(v.Device)).Short()+`"`,
		) {
			if !strings.Contains(out, want) {
				t.Errorf("%s: ssh-keygen -L does not print %q but\n%s", v.Name, want, out)
			}
		}
	}
}

// printedOption is how ssh-keygen prints an option that no sshd knows: the
// value's bytes with their length, in hex.
func printedOption(name, value string) string {
	b := appendString(nil, []byte(value))
	return fmt.Sprintf("%s UNKNOWN OPTION: %x (len %d)", name, b, len(b))
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
	policy := environmentVector(t).Policy
	g, err = Verify(sign("-O", "clear", "-O", "critical:services@lethe=*", "-O", "critical:ecv-policy@lethe="+policy),
		router.RouterID(), device.PublicKey(), now)
	if err != nil || g.Policy == nil || g.Policy.String() != policy {
		t.Errorf("%+v, %v", g, err)
	}
	for name, c := range map[string]struct {
		args []string
		want error
	}{
		"a policy of its own":           {[]string{"-O", "clear", "-O", "critical:services@lethe=*", "-O", "critical:ecv-policy@lethe=none"}, ErrGrantPolicy},
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
