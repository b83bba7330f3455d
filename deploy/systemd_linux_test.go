package deploy

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	unitFile = "systemd/lethe-relay.service"
	manager  = "/lib/systemd/systemd"

	patience    = time.Minute
	exposureMax = 2.0 // of systemd-analyze security, whose scale ends at 10
)

// TestUnitIsUnderstood: systemd knows each line, and finds the service well closed.
func TestUnitIsUnderstood(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	unit, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	// A program that is there: the relay is not installed here.
	there := filepath.Join(t.TempDir(), "lethe-relay.service")
	if err := os.WriteFile(there, bytes.ReplaceAll(unit, []byte("/usr/local/bin/lethe-relay"), []byte("/bin/true")), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", there).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", "--json=off", unitFile).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	_, rest, found := strings.Cut(string(out), "Overall exposure level for lethe-relay.service: ")
	number, _, _ := strings.Cut(rest, " ")
	if exposure, err := strconv.ParseFloat(number, 64); !found || err != nil || exposure > exposureMax {
		t.Errorf("the exposure is %q, more than %v\n%s", number, exposureMax, out)
	}
}

// boot makes a machine of its own around systemd: what it changes is gone with it. The
// root is this machine's, where the test does not put something of its own. Nothing but
// the relay is started: not what a system is made of, nor a journal, in whose place
// a pipe takes the log.
const boot = `
set -e
mount --make-rprivate /
ip link set lo up
mount -t proc proc /proc
for dir in /run /var/lib /usr/local/bin; do mount -t tmpfs tmpfs $dir; done
mount --bind /etc /etc && mount -o remount,ro,bind /etc
umount -R -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/systemd/system
cp "$BINARY" /usr/local/bin/lethe-relay
cp "$UNIT" /run/systemd/system/lethe-relay.service
mount -t tmpfs tmpfs /tmp
printf '[Unit]\nDefaultDependencies=no\n' > /run/systemd/system/lethe-test.target
mkdir /run/systemd/system/lethe-relay.service.d
printf '[Unit]\nDefaultDependencies=no\n[Service]\nStandardError=file:/run/log\n' > /run/systemd/system/lethe-relay.service.d/test.conf
ln -s /dev/null /run/systemd/system/network-online.target
mkfifo /run/log
cat <>/run/log >&2 &
lethe-relay init --dir /var/lib/lethe-relay --listen '[::]:443' --public 127.0.0.1:443 >/dev/null
export container=lethe-test
exec ` + manager + ` --system --unit=lethe-test.target --log-target=console --show-status=no
`

// machine is a systemd that runs in namespaces of its own.
type machine struct {
	t   *testing.T
	pid string // of its first process, in our namespace
}

func bootMachine(t *testing.T, ctx context.Context) machine {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	t.Cleanup(cancel)
	if os.Getuid() != 0 {
		t.Skip("only root can start a systemd of its own")
	}
	if _, err := os.Stat(manager); err != nil {
		t.Skipf("systemd is not installed at %s", manager)
	}
	for _, name := range []string{"unshare", "nsenter", "ip"} {
		tool(t, name)
	}
	binary := buildRelay(t, ctx)
	unit, err := filepath.Abs(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, "unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--net", "--cgroup", "sh", "-c", boot)
	cmd.Env = []string{"PATH=/usr/local/bin:" + os.Getenv("PATH"), "BINARY=" + binary, "UNIT=" + unit}
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		cancel() // nobody waits for what can't come any more
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("systemd said:\n%s", &log)
		}
	})
	m := machine{t: t}
	until(t, ctx, "systemd to run", func() bool {
		child, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task/" + strconv.Itoa(cmd.Process.Pid) + "/children")
		m.pid = strings.TrimSpace(string(child))
		if err != nil || m.pid == "" {
			return false
		}
		state, _ := m.try(ctx, "systemctl", "is-system-running")
		return strings.Contains(state, "running") || strings.Contains(state, "degraded")
	})
	return m
}

// try runs a command inside.
func (m machine) try(ctx context.Context, command ...string) (string, error) {
	args := append([]string{"-t", m.pid, "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--"}, command...)
	out, err := exec.CommandContext(ctx, "nsenter", args...).CombinedOutput()
	return string(out), err
}

func (m machine) run(ctx context.Context, command ...string) string {
	m.t.Helper()
	out, err := m.try(ctx, command...)
	if err != nil {
		status, _ := m.try(ctx, "systemctl", "status", "--no-pager", "lethe-relay")
		m.t.Fatalf("%v: %v\n%s\n%s", command, err, out, status)
	}
	return out
}

// until asks again until ok says so.
func until(t *testing.T, ctx context.Context, what string, ok func() bool) {
	t.Helper()
	for tick := time.NewTicker(50 * time.Millisecond); !ok(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestRelayUnderItsUnit runs the relay under a real systemd, by the unit as it is
// shipped: each control is in force, also after the relay was told to reload.
func TestRelayUnderItsUnit(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	m := bootMachine(t, ctx)
	m.run(ctx, "systemctl", "start", "lethe-relay")
	ask := func() string {
		var out string
		until(t, ctx, "the relay to answer", func() (ok bool) {
			var err error
			out, err = m.try(ctx, "lethe-relay", "status", "--json", "--config", "/var/lib/lethe-relay/relay.yaml")
			return err == nil
		})
		return out
	}
	pid := strings.TrimSpace(m.run(ctx, "systemctl", "show", "--property=MainPID", "--value", "lethe-relay"))
	held := func(when string) {
		wantHeld(t, when, ask(), m.run(ctx, "cat", "/proc/"+pid+"/limits"))
	}
	held("after the start")
	m.run(ctx, "systemctl", "reload", "lethe-relay")
	held("after a reload")

	status := m.run(ctx, "cat", "/proc/"+pid+"/status")
	if strings.Contains(status, "\nUid:\t0") || !strings.Contains(status, "\nNoNewPrivs:\t1") || strings.Contains(status, "\nCapEff:\t0000000000000400") {
		t.Errorf("the relay runs as\n%s", status)
	}
	m.run(ctx, "systemctl", "stop", "lethe-relay")
	if result := m.run(ctx, "systemctl", "show", "--property=Result", "--value", "lethe-relay"); strings.TrimSpace(result) != "success" {
		t.Errorf("it ended with %s", result)
	}
}
