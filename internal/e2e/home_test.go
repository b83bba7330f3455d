//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A home is a relay, a router's agent, a phone, and the folders of all.
type home struct {
	t      *testing.T
	places places
	relay  *program
	agent  *program
	url    string // of the relay, with pin and token
	dir    string
	device string // the phone's folder in dir
}

// places says where a home's programs run: in front of their commands.
type places struct {
	relay, router, phone []string
	listen, public       string // of the relay
}

// newHome starts relay and agent on loopback. Services are NAME=TARGET.
func newHome(t *testing.T, ctx context.Context, services ...string) *home {
	t.Helper()
	h := newRelay(t, ctx)
	h.startAgent(ctx, services...)
	return h
}

// newRelay starts a relay alone, on a port of loopback that the kernel has
// chosen; it keeps that port when it is started again.
func newRelay(t *testing.T, ctx context.Context) *home {
	t.Helper()
	h := startRelay(t, ctx, places{listen: "127.0.0.1:0"})
	h.edit("relay/relay.yaml", `"127.0.0.1:0"`, fmt.Sprintf("%q", h.relay.ready(ctx)))
	return h
}

func startRelay(t *testing.T, ctx context.Context, at places) *home {
	t.Helper()
	h := &home{t: t, places: at, dir: t.TempDir(), device: "phone"}
	must(t, ctx, "lethe-relay", "init", "--dir", h.at("relay"), "--listen", at.listen, "--public", at.public)
	h.runRelay(ctx)
	h.url = strings.TrimPrefix(h.relay.prints(ctx, h.relay.stdout, 0, "url "), "url ")
	return h
}

func (h *home) runRelay(ctx context.Context) {
	h.t.Helper()
	h.relay = start(h.t, ctx, append(h.places.relay, "lethe-relay", "run", "--verbose", "--config", h.at("relay/relay.yaml"))...)
	h.relay.ready(ctx)
}

func (h *home) startAgent(ctx context.Context, services ...string) {
	h.t.Helper()
	must(h.t, ctx, "lethe-agent", "init", "--dir", h.at("agent"), "--relay", h.url)
	h.edit("agent/agent.yaml", `services: [{name: http, target: "tcp:127.0.0.1:80"}]`, serviceList(services))
	h.runAgent(ctx)
}

func (h *home) runAgent(ctx context.Context) {
	h.t.Helper()
	h.agent = start(h.t, ctx, append(h.places.router, "lethe-agent", "run", "--verbose", "--config", h.at("agent/agent.yaml"))...)
	h.agent.ready(ctx)
}

func serviceList(services []string) string {
	var list []string
	for _, s := range services {
		name, target, _ := strings.Cut(s, "=")
		list = append(list, fmt.Sprintf("{name: %s, target: %q}", name, target))
	}
	return "services: [" + strings.Join(list, ", ") + "]"
}

// at is the path of something in the home's folder.
func (h *home) at(name string) string { return filepath.Join(h.dir, name) }

// edit replaces a part of a file.
func (h *home) edit(name, old, new string) {
	h.t.Helper()
	text := read(h.t, h.at(name))
	if !strings.Contains(text, old) {
		h.t.Fatalf("%s does not have %q:\n%s", name, old, text)
	}
	write(h.t, h.at(name), strings.Replace(text, old, new, 1))
}

// uri asks the agent for a pairing URI.
func (h *home) uri(ctx context.Context) string {
	h.t.Helper()
	var event struct{ URI string }
	out := must(h.t, ctx, "lethe-agent", "pair", "--config", h.at("agent/agent.yaml"), "--json")
	if err := json.Unmarshal([]byte(out), &event); err != nil || event.URI == "" {
		h.t.Fatalf("not an offer: %v\n%s", err, out)
	}
	return event.URI
}

// letheCommand is a command of the phone's program.
func (h *home) letheCommand(folder string, args ...string) []string {
	return slices.Concat(h.places.phone, []string{"lethe", "--dir", h.at(folder)}, args)
}

// lethe runs the phone's program with one of the home's folders.
func (h *home) lethe(ctx context.Context, folder string, args ...string) result {
	h.t.Helper()
	return run(h.t, ctx, h.letheCommand(folder, args...)...)
}

// pair pairs the phone under the name "home".
func (h *home) pair(ctx context.Context) {
	h.t.Helper()
	must(h.t, ctx, h.letheCommand(h.device, "pair", h.uri(ctx), "--name", "home")...)
}

// forward starts 'lethe forward home' for services, and returns the address of each.
func (h *home) forward(ctx context.Context, args ...string) (*program, map[string]string) {
	h.t.Helper()
	p := start(h.t, ctx, h.letheCommand(h.device, append([]string{"forward", "home"}, args...)...)...)
	addrs := make(map[string]string)
	for _, port := range strings.Fields(p.ready(ctx)) {
		service, addr, _ := strings.Cut(port, "=")
		addrs[service] = addr
	}
	return p, addrs
}

// freePort is a TCP port of loopback that nobody has now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
