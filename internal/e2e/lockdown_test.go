//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lockedDown is the part of 'lethe-relay status --json' that is about retention.
type lockedDown struct {
	Routers   int
	Retention struct {
		Mode     string
		InForce  bool `json:"in_force"`
		Controls []struct {
			Name      string
			InForce   bool `json:"in_force"`
			How, Mend string
		}
	}
}

func (h *home) status(ctx context.Context) (s lockedDown) {
	h.t.Helper()
	out := must(h.t, ctx, append(h.places.relay, "lethe-relay", "status", "--config", h.at("relay/relay.yaml"), "--json")...)
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	return s
}

// wantLockedDown sees that the relay holds its promise in full, by its own test.
func (h *home) wantLockedDown(ctx context.Context) {
	h.t.Helper()
	s := h.status(ctx)
	if s.Retention.Mode != "require" || !s.Retention.InForce || len(s.Retention.Controls) < 10 {
		h.t.Errorf("the relay is not locked down: %+v", s)
	}
	for _, c := range s.Retention.Controls {
		if !c.InForce && c.Name != "memory_locked" || c.How == "" { // that one takes rights that not every user has
			h.t.Errorf("%s is not in force: %s; %s", c.Name, c.How, c.Mend)
		}
	}
}

// TestLockdown: a relay as 'init' makes it is locked down by the kernel, and tunnels
// go through it, metrics and questions are answered, and it ends as it should.
func TestLockdown(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	carries(t, ctx, newHome(t, ctx, "echo=tcp:"+serveEcho(t)))
}

// TestLockdownUnprivileged: the same for a user who may do nothing. Its memory as a
// whole can't be locked then, but that of its packet buffers is.
func TestLockdownUnprivileged(t *testing.T) {
	t.Parallel()
	needRoot(t, "start a relay as another user")
	need(t, map[string]string{"setpriv": "util-linux"})
	ctx := deadline(t, 2*time.Minute)
	dir, err := os.MkdirTemp("", "lethe-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	h := &home{t: t, dir: dir, device: "phone"}
	h.places.relay = []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}
	must(t, ctx, append(h.places.relay, "lethe-relay", "init", "--dir", h.at("relay"), "--listen", "127.0.0.1:0")...)
	h.runRelay(ctx)
	h.url = strings.TrimPrefix(h.relay.prints(ctx, h.relay.stdout, 0, "url "), "url ")
	h.startAgent(ctx, "echo=tcp:"+serveEcho(t))
	carries(t, ctx, h)
}

func carries(t *testing.T, ctx context.Context, h *home) {
	t.Helper()
	h.pair(ctx)
	h.wantLockedDown(ctx)
	if r := h.lethe(ctx, h.device, "status", "home"); r.code != 0 {
		t.Errorf("through a relay that is locked down: %s", r.stderr)
	}
	if n := h.status(ctx).Routers; n != 1 {
		t.Errorf("%d routers", n)
	}
	out := must(t, ctx, append(h.places.relay, "lethe-relay", "explain", "192.0.2.1", "--config", h.at("relay/relay.yaml"))...)
	if out != "the relay holds nothing about the address 192.0.2.1\n" {
		t.Error(out)
	}
	h.relay.stop(syscall.SIGTERM)
	h.runRelay(ctx) // its socket is there, since it could not remove it
	h.wantLockedDown(ctx)
}

// TestLogToAFile: a relay that may not write to files would fall silent, and says so.
func TestLogToAFile(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := &home{t: t, dir: t.TempDir()}
	must(t, ctx, "lethe-relay", "init", "--dir", h.at("relay"), "--listen", "127.0.0.1:0")
	r := run(t, ctx, "sh", "-c", `lethe-relay run --config "$1" 2>"$2"`, "sh", h.at("relay/relay.yaml"), h.at("log"))
	if text := read(t, h.at("log")); r.code != 1 || strings.Count(text, "\n") != 1 || !strings.Contains(text, "stderr") {
		t.Errorf("exit code %d\n%s", r.code, text)
	}
}

// TestCertificateUnderLockdown: a relay with a certificate of a public authority,
// which agent and phone check by their roots, takes a renewed one on SIGHUP.
func TestCertificateUnderLockdown(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	h := &home{t: t, dir: t.TempDir(), device: "phone"}
	first, second := newAuthority(t, h.at("first.pem")), newAuthority(t, h.at("second.pem"))
	must(t, ctx, "lethe-relay", "init", "--dir", h.at("relay"), "--listen", "127.0.0.1:0")
	h.edit("relay/relay.yaml", "idle_timeout:", "certificate: fullchain.pem\ncertificate_key: privkey.pem\nidle_timeout:")
	first.issue(t, h.at("relay"))
	h.runRelay(ctx)
	h.url = strings.TrimPrefix(h.relay.prints(ctx, h.relay.stdout, 0, "url "), "url ")
	if strings.Contains(h.url, "pin=") {
		t.Errorf("the URL has a pin: %s", h.url)
	}
	trust := func(roots string) []string { return []string{"env", "SSL_CERT_FILE=" + h.at(roots)} }
	h.places.router, h.places.phone = trust("first.pem"), trust("first.pem")
	h.startAgent(ctx)
	h.pair(ctx)
	if r := h.lethe(ctx, h.device, "status", "home"); r.code != 0 {
		t.Fatalf("with a certificate that the phone's roots know: %s", r.stderr)
	}
	h.places.phone = trust("second.pem")
	h.lethe(ctx, h.device, "status", "home").refused(t, 3, "certificate")

	reload := func(says string) {
		t.Helper()
		from := h.relay.stderr.mark()
		h.relay.cmd.Process.Signal(syscall.SIGHUP)
		h.relay.prints(ctx, h.relay.stderr, from, says)
	}
	second.issue(t, h.at("relay"))
	write(t, h.at("relay/privkey.pem"), "no key")
	reload("why=malformed_or_no_pair")
	h.lethe(ctx, h.device, "status", "home").refused(t, 3, "certificate")
	second.issue(t, h.at("relay"))
	reload("the certificate is in use")
	if r := h.lethe(ctx, h.device, "status", "home"); r.code != 0 {
		t.Errorf("after the certificate was renewed: %s", r.stderr)
	}
	h.wantLockedDown(ctx)
}

// TestIdentitiesLeaveTheHeap looks for the raw ID of a device in the memory of a relay:
// it is there while the device has a session, or this test would see nothing, and is
// gone after the end: in some seconds, which a machine with much else to do stretches.
func TestIdentitiesLeaveTheHeap(t *testing.T) {
	t.Parallel()
	needRoot(t, "read the memory of a relay that can't be dumped")
	ctx := deadline(t, 3*time.Minute)
	h := newHome(t, ctx, "echo=tcp:"+serveEcho(t))
	h.pair(ctx)
	var devices []struct{ ID string }
	if err := json.Unmarshal([]byte(must(t, ctx, "lethe-agent", "devices", "--config", h.at("agent/agent.yaml"), "--json")), &devices); err != nil || len(devices) != 1 {
		t.Fatalf("%v %v", err, devices)
	}
	id := rawID(t, devices[0].ID)
	pid := h.relay.cmd.Process.Pid
	forward, _ := h.forward(ctx, "echo")
	until(t, ctx, "the relay to hold a session", func() bool {
		return strings.Contains(must(t, ctx, "lethe-relay", "explain", devices[0].ID, "--config", h.at("relay/relay.yaml")), "session:")
	})
	before := inMemory(t, pid, id)
	if before < 5 {
		t.Fatalf("the device's ID is found %d times in mid-session: this test would see nothing", before)
	}
	forward.stop(syscall.SIGTERM)
	ended := time.Now()
	until(t, ctx, "the ID to leave the relay's memory", func() bool { return inMemory(t, pid, id) == 0 })
	t.Logf("the device's ID was found %d times in its session, and was gone %v after it", before, time.Since(ended).Round(100*time.Millisecond))
	until(t, ctx, "the relay to hold nothing about the device", func() bool {
		return strings.HasPrefix(must(t, ctx, "lethe-relay", "explain", devices[0].ID, "--config", h.at("relay/relay.yaml")), "the relay holds nothing about the device")
	})
	t.Logf("nothing at all is held %v after it", time.Since(ended).Round(100*time.Millisecond))
}

// renewed writes a file as certificate managers do: whole, under another name first.
func renewed(t *testing.T, path string, data []byte) {
	t.Helper()
	write(t, path+".new", string(data))
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
