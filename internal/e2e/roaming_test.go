//go:build linux

package e2e

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"
)

// netBound is a policy by which a device is let in only from internet
// connections that are known.
const netBound = `
ecv: {allow: 60, step_up: 20, weights: {net: 40}, mandatory: [net]}
`

// silence is what ends a tunnel of which nothing is heard.
const silence = time.Minute

// TestRoaming: a phone whose internet connection becomes another one in
// mid-download is judged again, by relay and router. What it had open ends, and
// it gets on when somebody has confirmed it.
func TestRoaming(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	n := newNetwork(t, ctx)
	n.ip(ctx, "relay", "addr", "add", "100.64.0.1/24", "dev", "left")
	w := serveWeb(t, ctx, "127.0.0.1:8000", n.in("router")...)
	w.put("large", natDownload, 2, sha256.New())
	h := startRelay(t, ctx, n.home())
	must(t, ctx, "lethe-agent", "init", "--dir", h.at("agent"), "--relay", h.url)
	h.edit("agent/agent.yaml", `services: [{name: http, target: "tcp:127.0.0.1:80"}]`, `services: [{name: http, target: "tcp:`+w.addr+`"}]`)
	write(t, h.at("agent/agent.yaml"), read(t, h.at("agent/agent.yaml"))+netBound)
	h.runAgent(ctx)
	must(t, ctx, h.letheCommand(h.device, append([]string{"pair", h.uri(ctx), "--name", "home", "--device-name", "mine"}, atHome...)...)...)
	_, addrs := h.forward(ctx, append([]string{"http"}, atHome...)...)

	url := "http://" + addrs["http"] + "/large"
	slow := []string{"curl", "-sS", "--fail", "--limit-rate", "4M", url} // the rest takes longer than it takes to be judged
	d := startDownload(t, ctx, slices.Concat(h.places.phone, slow))
	d.some(natDownload / 16)
	n.ip(ctx, "nat-phone", "addr", "del", "198.51.100.2/24", "dev", "wan")
	n.ip(ctx, "nat-phone", "addr", "add", "100.64.0.2/24", "dev", "wan")
	n.ip(ctx, "nat-phone", "route", "replace", "default", "via", "100.64.0.1")
	moved := time.Now()
	if err := d.end(); err == nil || d.size >= natDownload {
		t.Errorf("the download went on: %d bytes, %v", d.size, err)
	}
	if took := time.Since(moved); took > silence/2 {
		t.Errorf("it ended after %v, by silence and not by the router's word", took)
	}
	h.here(ctx, atHome, "status", "home").refused(t, 3, "step_up_required")
	log := must(t, ctx, "lethe-agent", "log", "--config", h.at("agent/agent.yaml"))
	if !strings.Contains(log, "session, moved") || !strings.Contains(log, "step_up") {
		t.Errorf("the log does not tell of the move:\n%s", log)
	}

	for _, args := range [][]string{{"lethe-agent", "pin", "--config", h.at("agent/agent.yaml")}, h.letheCommand(h.device, append([]string{"confirm", "home", "--pin"}, atHome...)...)} {
		if r := runWith(t, ctx, "918273\n", args...); r.code != 0 {
			t.Fatalf("%s: %s", r.command, r.stderr)
		}
	}
	again := newDownload(t, ctx, url, h.places.phone...)
	again.rest() // the same 'lethe forward' has taken the fresh grant
	if again.size != natDownload {
		t.Errorf("%d bytes", again.size)
	}
}
