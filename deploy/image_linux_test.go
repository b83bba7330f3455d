package deploy

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/relay"
)

// buildRelay builds the relay as the unit and the image want it: without libraries.
func buildRelay(t *testing.T, ctx context.Context) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "lethe-relay")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "../cmd/lethe-relay")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the relay: %v\n%s", err, out)
	}
	return binary
}

// wantHeld wants each control in force, by what 'status --json' prints. limits is
// what the kernel says of the relay's, or of a process with the same.
func wantHeld(t *testing.T, when, status, limits string) {
	t.Helper()
	var s struct{ Retention relay.Retention }
	if err := json.Unmarshal([]byte(status), &s); err != nil {
		t.Fatalf("%s: %v\n%s", when, err, status)
	}
	r := s.Retention
	if r.Mode != lockdown.Require || !r.InForce || len(r.Controls) < len(lockdown.Names()) {
		t.Errorf("%s: mode %s, in force %v, %d controls", when, r.Mode, r.InForce, len(r.Controls))
	}
	for _, c := range r.Controls {
		if want := c.Name != lockdown.MemoryLocked || mayLockAll(limits); c.InForce != want {
			t.Errorf("%s: %s is in force: %v, want %v: %s; %s", when, c.Name, c.InForce, want, c.How, c.Mend)
		}
	}
}

// mayLockAll tells whether the limit is lifted, as unit and image ask for. That takes
// CAP_SYS_RESOURCE, which not every container's root has; systemd then goes as far as it can.
func mayLockAll(limits string) bool {
	_, rest, _ := strings.Cut(limits, "Max locked memory")
	return strings.HasPrefix(strings.TrimSpace(rest), "unlimited")
}

// contained does what an engine does with our image and flags, with the kernel's own
// means: a root that has the program, /proc and /dev/null and can't be written to, a
// user without rights or ways to any, a volume. (But not the engine's seccomp profile.)
const contained = `
set -e
ip link set lo up
mount -t tmpfs tmpfs "$IMAGE"
mkdir "$IMAGE/relay" "$IMAGE/proc" "$IMAGE/dev"
cp "$BINARY" "$IMAGE/lethe-relay"
touch "$IMAGE/dev/null"
mount --bind /dev/null "$IMAGE/dev/null"
mount -t proc proc "$IMAGE/proc"
mount -t tmpfs -o uid=65532,gid=65532,mode=700 tmpfs "$IMAGE/relay"
mount -o remount,ro "$IMAGE"
ulimit -l unlimited 2>/dev/null || true
lethe() { setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid unshare --root="$IMAGE" --wd=/ --setgid=65532 --setuid=65532 /lethe-relay "$@"; }
lethe init --dir /relay --listen '[::]:8443' --public 127.0.0.1:8443 >&2
lethe run --config /relay/relay.yaml 2>&1 | cat >&2 & # $! is cat, which ends with the relay
until lethe status --config /relay/relay.yaml --json 2>/dev/null; do kill -0 $!; sleep 0.1; done
cat /proc/self/limits >"$LIMITS"
`

// TestRelayInItsImage runs the relay as its image and the flags beside it have it run.
func TestRelayInItsImage(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make a container's root")
	}
	for _, name := range []string{"unshare", "setpriv", "ip"} {
		tool(t, name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	limits := filepath.Join(t.TempDir(), "limits")
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts", "sh", "-c", contained)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "IMAGE=" + t.TempDir(), "BINARY=" + buildRelay(t, ctx), "LIMITS=" + limits}
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	wantHeld(t, "in a container", string(out), read(t, limits))
}
