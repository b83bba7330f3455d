//go:build linux

package e2e

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// strict is a policy by which a device is known by its Wi-Fi and place, and
// status is open to more.
const strict = `
ecv:
  allow: 70
  step_up: 20
  services: [{name: status, allow: 30}]
`

// atHome and away are what a phone sees around it.
var (
	atHome = []string{"--wifi-ssid", "kitchen", "--wifi-bssid", "02:00:5e:00:53:01", "--location", "52.5200,13.4050"}
	away   = []string{"--wifi-ssid", "hotel", "--wifi-bssid", "02:00:5e:00:53:77", "--location", "52.4000,13.0600"}
	abroad = []string{"--wifi-ssid", "kitchen", "--wifi-bssid", "02:00:5e:00:53:01", "--location", "-33.8700,151.2100"}
)

// newStrictHome is a home whose router demands evidence, with a phone that has
// been paired in it.
func newStrictHome(t *testing.T, ctx context.Context) *home {
	t.Helper()
	h := newRelay(t, ctx)
	must(t, ctx, "lethe-agent", "init", "--dir", h.at("agent"), "--relay", h.url)
	h.edit("agent/agent.yaml", `services: [{name: http, target: "tcp:127.0.0.1:80"}]`, `services: [{name: http, target: "unix:`+greeter(t)+`"}]`)
	write(t, h.at("agent/agent.yaml"), read(t, h.at("agent/agent.yaml"))+strict)
	h.runAgent(ctx)
	must(t, ctx, h.letheCommand(h.device, append([]string{"pair", h.uri(ctx), "--name", "home", "--device-name", "mine"}, atHome...)...)...)
	return h
}

// here runs the phone's program in these surroundings.
func (h *home) here(ctx context.Context, where []string, args ...string) result {
	h.t.Helper()
	return h.lethe(ctx, h.device, append(args, where...)...)
}

// TestEnvironment: a phone gets in where the router knows it, and elsewhere only
// after somebody has confirmed it.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	h := newStrictHome(t, ctx)
	config := h.at("agent/agent.yaml")

	wantGreeting(t, h.here(ctx, atHome, "nc", "home", "http"))
	h.here(ctx, away, "nc", "home", "http").refused(t, 3, "step_up_required", "lethe confirm")
	must(t, ctx, h.letheCommand(h.device, append([]string{"status", "home"}, away...)...)...)

	env := h.here(ctx, away, "env", "home")
	for _, part := range []string{"hotel", "wifi", "geo", "confirm"} {
		if !strings.Contains(env.stdout, part) {
			t.Errorf("'lethe env' says nothing of %q:\n%s%s", part, env.stdout, env.stderr)
		}
	}

	pin := func(word string, where []string) result {
		return runWith(t, ctx, word+"\n", h.letheCommand(h.device, append([]string{"confirm", "home", "--pin"}, where...)...)...)
	}
	pin("918273", away).refused(t, 3, "pin_not_set", "lethe-agent pin")
	if r := runWith(t, ctx, "918273\n", "lethe-agent", "pin", "--config", config); r.code != 0 {
		t.Fatalf("lethe-agent pin: %s", r.stderr)
	}
	pin("000001", away).refused(t, 3, "pin_wrong")
	if r := pin("918273", away); r.code != 0 {
		t.Fatalf("the right PIN: %s%s", r.stdout, r.stderr)
	}
	wantGreeting(t, h.here(ctx, away, "nc", "home", "http"))
	wantGreeting(t, h.here(ctx, atHome, "nc", "home", "http"))

	// The network's name is known, but nobody gets that far in a minute.
	h.here(ctx, abroad, "nc", "home", "http").refused(t, 3, "step_up_required", "travel")

	log := must(t, ctx, "lethe-agent", "log", "--config", config)
	for _, part := range []string{"mine", "allow", "step_up", "confirmed"} {
		if !strings.Contains(log, part) {
			t.Errorf("'lethe-agent log' says nothing of %q:\n%s", part, log)
		}
	}
	for _, value := range []string{"hotel", "kitchen", "918273", "13.4"} {
		if strings.Contains(log+h.agent.stderr.String()+h.relay.stderr.String(), value) {
			t.Errorf("a log holds the value %q", value)
		}
	}
}

func (h *home) restartAgent(ctx context.Context) {
	h.t.Helper()
	h.agent.stop(syscall.SIGTERM)
	h.runAgent(ctx)
}

func (h *home) restartRelay(ctx context.Context) {
	h.t.Helper()
	h.relay.stop(syscall.SIGTERM)
	h.runRelay(ctx)
}

// TestLockOut: five wrong PINs lock a device out, also over a restart.
func TestLockOut(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	h := newStrictHome(t, ctx)
	if r := runWith(t, ctx, "918273\n", "lethe-agent", "pin", "--config", h.at("agent/agent.yaml")); r.code != 0 {
		t.Fatalf("lethe-agent pin: %s", r.stderr)
	}
	pin := func(word string) result {
		return runWith(t, ctx, word+"\n", h.letheCommand(h.device, append([]string{"confirm", "home", "--pin"}, away...)...)...)
	}
	for _, guess := range []string{"100001", "100002", "100003", "100004"} {
		pin(guess).refused(t, 3, "pin_wrong")
	}
	pin("100005").refused(t, 3, "pin_")
	pin("918273").refused(t, 3, "pin_locked")
	h.restartAgent(ctx)
	pin("918273").refused(t, 3, "pin_locked")
}

// TestApproval: another of the owner's devices lets a phone in.
func TestApproval(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	h := newStrictHome(t, ctx)
	must(t, ctx, h.letheCommand("laptop", append([]string{"pair", h.uri(ctx), "--name", "home", "--device-name", "laptop"}, atHome...)...)...)

	for _, decision := range []string{"--reject", ""} {
		want := map[string]int{"--reject": 3, "": 0}[decision]
		asking := start(t, ctx, h.letheCommand(h.device, append([]string{"confirm", "home", "--ask-owner"}, away...)...)...)
		asking.ours = false // it ends by itself
		laptop := func(args ...string) result { return h.lethe(ctx, "laptop", append(args, atHome...)...) }
		until(t, ctx, "a device that waits", func() bool { return strings.Contains(laptop("waiting", "home").stdout, "mine") })
		args := []string{"approve", "home", "mine"}
		if decision != "" {
			args = append(args, decision)
		}
		if r := laptop(args...); r.code != 0 {
			t.Fatalf("approve %s: %s", decision, r.stderr)
		}
		if code := asking.wait(ctx); code != want {
			t.Errorf("after approve %s: exit code %d, want %d\n%s", decision, code, want, asking.stderr)
		}
		if want == 0 {
			wantGreeting(t, h.here(ctx, away, "nc", "home", "http"))
		}
	}
}

const greeting = "good evening\n"

// greeter is a service that says so to everybody, and the path of its socket.
func greeter(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "greeter.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, greeting)
			conn.Close()
		}
	}()
	return path
}

// wantGreeting sees that a service was reached.
func wantGreeting(t *testing.T, r result) {
	t.Helper()
	if r.code != 0 || r.stdout != greeting {
		t.Errorf("%s: exit code %d\n%s%s", r.command, r.code, r.stdout, r.stderr)
	}
}
