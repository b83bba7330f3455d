//go:build linux

package e2e

import (
	"encoding/json"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestForward opens several services at once, on chosen and on free ports.
func TestForward(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	w := serveWeb(t, ctx, freePort(t))
	write(t, filepath.Join(w.root, "page"), "the page")
	h := newHome(t, ctx, "http=tcp:"+w.addr, "echo=tcp:"+serveEcho(t))
	h.pair(ctx)
	for name, listen := range map[string][]string{
		"free ports":   {},
		"first chosen": {freePort(t)},
		"both chosen":  {freePort(t), freePort(t)},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"http", "echo"}
			for _, addr := range listen {
				args = append(args, "--listen", addr)
			}
			_, addrs := h.forward(ctx, args...)
			if got := []string{addrs["http"], addrs["echo"]}; !slices.Equal(got[:len(listen)], listen) {
				t.Errorf("listens on %v, asked for %v", got, listen)
			}
			for service, addr := range addrs {
				if host, port, err := net.SplitHostPort(addr); err != nil || host != "127.0.0.1" || port == "0" {
					t.Errorf("%s is on %s", service, addr)
				}
			}
			if got := must(t, ctx, "curl", "-sS", "--fail", "http://"+addrs["http"]+"/page"); got != "the page" {
				t.Errorf("got %q", got)
			}
			if got := echoed(t, addrs["echo"], "anybody there?"); got != "anybody there?" {
				t.Errorf("got %q", got)
			}
		})
	}
	t.Run("too many listen", func(t *testing.T) {
		h.lethe(ctx, "phone", "forward", "home", "http", "--listen", freePort(t), "--listen", freePort(t)).refused(t, 2, "2 --listen", "1 services")
	})
}

// echoed sends text to an echo server and returns what comes back.
func echoed(t *testing.T, addr, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	var got strings.Builder
	buf := make([]byte, 1<<10)
	for {
		n, err := conn.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			return got.String()
		}
	}
}

// TestJSON: what programs read is JSON, and has no secret in it.
func TestJSON(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx, "http=tcp:127.0.0.1:1")
	if got := must(t, ctx, h.letheCommand("phone", "routers", "--json")...); got != "[]\n" {
		t.Errorf("no routers are shown as %q", got)
	}
	paired := must(t, ctx, h.letheCommand("phone", "pair", h.uri(ctx), "--name", "home", "--json")...)
	routers := must(t, ctx, h.letheCommand("phone", "routers", "--json")...)
	status := must(t, ctx, h.letheCommand("phone", "status", "home", "--json")...)

	var one struct{ Name, Router, Relay string }
	parse(t, paired, &one)
	if one.Name != "home" || one.Relay != h.listen() || one.Router != h.agent.ready(ctx) {
		t.Errorf("pair --json: %+v", one)
	}
	var list []struct{ Name, Router string }
	parse(t, routers, &list)
	if len(list) != 1 || list[0].Name != "home" || list[0].Router != one.Router {
		t.Errorf("routers --json: %+v", list)
	}
	var document struct{ Services []string }
	parse(t, status, &document)
	if !slices.Equal(document.Services, []string{"http"}) {
		t.Errorf("status --json: %+v", document)
	}
	var kept struct {
		Secret string `json:"pairing_secret"`
	}
	parse(t, read(t, h.at("phone/routers/home.json")), &kept)
	if kept.Secret == "" || strings.Contains(paired+routers+status, kept.Secret) {
		t.Errorf("the pairing secret is shown, or this is not it: %q", kept.Secret)
	}
}

func parse(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// TestCompletion: the shell's script is one, and names of routers complete.
func TestCompletion(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	need(t, map[string]string{"bash": "bash"})
	for _, program := range []string{"lethe", "lethe-agent", "lethe-relay"} {
		script := must(t, ctx, program, "completion", "bash")
		if r := runWith(t, ctx, script, "bash", "-n"); r.code != 0 || len(script) < 1000 {
			t.Errorf("%s: %d bytes that bash does not read: %s", program, len(script), r.stderr)
		}
	}
	h := newHome(t, ctx)
	h.pair(ctx)
	h.lethe(ctx, "phone", "pair", h.uri(ctx), "--name", "cottage").refused(t, 1, `as "home"`, "lethe unpair home")
	for _, command := range []string{"status", "forward", "nc", "unpair", "env", "shares"} {
		got := must(t, ctx, h.letheCommand("phone", "__complete", command, "")...)
		if lines := strings.Split(got, "\n"); !slices.Equal(lines[:2], []string{"home", ":4"}) {
			t.Errorf("%s completes to %q", command, got)
		}
	}
}

// TestGrantIsAnOpenSSHCertificate: others can read what the router has granted.
func TestGrantIsAnOpenSSHCertificate(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	need(t, map[string]string{"ssh-keygen": "openssh-client"})
	h := newHome(t, ctx)
	h.pair(ctx)
	got := must(t, ctx, "ssh-keygen", "-L", "-f", h.at("phone/routers/home-cert.pub"))
	for _, part := range []string{"ssh-ed25519-cert-v01@openssh.com user certificate", "Valid: from"} {
		if !strings.Contains(got, part) {
			t.Errorf("ssh-keygen does not say %q:\n%s", part, got)
		}
	}
}
