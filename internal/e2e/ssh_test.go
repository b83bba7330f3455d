//go:build linux

package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"
)

// TestSSH runs ssh and scp through 'lethe nc' to a real sshd.
func TestSSH(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	s := serveSSH(t, ctx)
	h := newHome(t, ctx, "ssh=tcp:"+s.addr)
	h.pair(ctx)
	options := append(s.options(), "-o", fmt.Sprintf("ProxyCommand=lethe --dir '%s' nc home ssh", h.at("phone")))

	t.Run("command", func(t *testing.T) {
		r := runWith(t, ctx, "to the router", append(append([]string{"ssh"}, options...), s.user+"@home", "cat; echo ', and back'; echo aside >&2; exit 7")...)
		if r.code != 7 || r.stdout != "to the router, and back\n" || r.stderr != "aside\n" {
			t.Errorf("exit code %d, want 7; it printed %q and %q", r.code, r.stdout, r.stderr)
		}
	})
	t.Run("scp", func(t *testing.T) {
		scp := append([]string{"scp", "-q"}, options...)
		dir := t.TempDir()
		source, there, back := filepath.Join(dir, "source"), filepath.Join(dir, "there"), filepath.Join(dir, "back")
		content := make([]byte, 16<<20)
		for i := range content {
			content[i] = byte(i * i >> 7)
		}
		write(t, source, string(content))
		must(t, ctx, append(scp, source, s.user+"@home:"+there)...)
		must(t, ctx, append(scp, s.user+"@home:"+there, back)...)
		want := sha256.Sum256(content)
		for _, path := range []string{there, back} {
			if got := sumOf(t, path); got != hex.EncodeToString(want[:]) {
				t.Errorf("%s has SHA-256 %s, want %x", filepath.Base(path), got, want)
			}
		}
	})
}

// sshServer is an sshd on loopback, with keys of its own.
type sshServer struct {
	*program
	addr string
	user string
	dir  string
}

const sshdConfig = `ListenAddress %s
HostKey %s/host
PidFile none
AuthorizedKeysFile %[2]s/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
`

func serveSSH(t *testing.T, ctx context.Context) *sshServer {
	t.Helper()
	need(t, map[string]string{"sshd": "openssh-server", "ssh": "openssh-client", "scp": "openssh-client", "ssh-keygen": "openssh-client"})
	sshd, err := exec.LookPath("sshd") // it wants to be called by its whole path
	if err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &sshServer{addr: freePort(t), user: me.Username, dir: t.TempDir()}
	makeSeparationDir(t)
	for _, key := range []string{"host", "user"} {
		must(t, ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", filepath.Join(s.dir, key))
	}
	write(t, filepath.Join(s.dir, "known"), "home "+read(t, filepath.Join(s.dir, "host.pub")))
	write(t, filepath.Join(s.dir, "config"), fmt.Sprintf(sshdConfig, s.addr, s.dir))
	s.program = start(t, ctx, sshd, "-D", "-e", "-f", filepath.Join(s.dir, "config"))
	s.prints(ctx, s.stderr, 0, "Server listening on")
	return s
}

// makeSeparationDir makes the folder that sshd wants to drop its rights in,
// as the service manager would.
func makeSeparationDir(t *testing.T) {
	t.Helper()
	const dir = "/run/sshd"
	if os.Geteuid() != 0 {
		return // then it does not ask for it
	}
	switch err := os.Mkdir(dir, 0o755); {
	case err == nil:
		t.Cleanup(func() { os.Remove(dir) })
	case !errors.Is(err, fs.ErrExist):
		t.Fatal(err)
	}
}

// options are those of ssh and scp to trust this server and no other.
func (s *sshServer) options() []string {
	var out []string
	for _, o := range []string{
		"IdentityFile=" + filepath.Join(s.dir, "user"), "IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes",
		"UserKnownHostsFile=" + filepath.Join(s.dir, "known"), "GlobalKnownHostsFile=none", "StrictHostKeyChecking=yes", "LogLevel=ERROR",
	} {
		out = append(out, "-o", o)
	}
	return append([]string{"-F", "none"}, out...)
}
