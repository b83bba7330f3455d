//go:build linux

package e2e

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestSignals: both signals end each program cleanly, whatever it is doing.
func TestSignals(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx, "echo=tcp:"+serveEcho(t))
	h.pair(ctx)
	for name, signal := range map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			forward, _ := h.forward(ctx, "echo")
			show := start(t, ctx, "lethe-agent", "pair", "--config", h.at("agent/agent.yaml"), "--wait")
			show.prints(ctx, show.stdout, 0, "lethe://")
			forward.stop(signal)
			show.stop(signal)
			h.agent.stop(signal)
			h.relay.stop(signal)
			h.runRelay(ctx)
			h.runAgent(ctx)
		})
	}
	t.Run("agent that is not registered yet", func(t *testing.T) {
		h.agent.stop(syscall.SIGTERM)
		h.relay.stop(syscall.SIGTERM)
		a := start(t, ctx, "lethe-agent", "run", "--config", h.at("agent/agent.yaml"))
		until(t, ctx, "the agent runs", func() bool {
			_, err := os.Stat(h.at("agent/agent.sock"))
			return err == nil
		})
		a.stop(syscall.SIGTERM)
	})
}

// TestRelayCrash kills the relay without a word to anybody. When it is back the
// agent registers by itself, and connections through 'lethe forward' find their
// way again.
func TestRelayCrash(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	h, url := homeWithPage(t, ctx)
	crashed := time.Now()
	from := h.agent.stderr.mark()
	h.relay.kill()
	h.runRelay(ctx)
	h.agent.prints(deadline(t, time.Minute), h.agent.stderr, from, "msg=registered ")
	t.Logf("the agent was back after %v", time.Since(crashed).Round(time.Millisecond))
	comesAgain(t, url)
	t.Logf("the page came after %v", time.Since(crashed).Round(time.Millisecond))
	must(t, ctx, h.letheCommand("phone", "status", "home")...)
}

// TestAgentRestart: devices stay paired, and a forward finds the agent again,
// whether it could say good-bye or not.
func TestAgentRestart(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 3*time.Minute)
	h, url := homeWithPage(t, ctx)
	for _, end := range []struct {
		name string
		stop func()
	}{
		{"stopped", func() { h.agent.stop(syscall.SIGTERM) }},
		{"killed", func() { h.agent.kill() }},
	} {
		t.Run(end.name, func(t *testing.T) {
			began := time.Now()
			end.stop()
			h.runAgent(ctx)
			must(t, ctx, h.letheCommand("phone", "status", "home")...)
			comesAgain(t, url)
			t.Logf("the page came after %v", time.Since(began).Round(time.Millisecond))
		})
	}
}

// homeWithPage is a home with a page behind a forward, and the page's URL.
func homeWithPage(t *testing.T, ctx context.Context) (h *home, url string) {
	t.Helper()
	w := serveWeb(t, ctx, freePort(t))
	write(t, filepath.Join(w.root, "page"), "the page")
	h = newHome(t, ctx, "http=tcp:"+w.addr)
	h.pair(ctx)
	_, addrs := h.forward(ctx, "http")
	url = "http://" + addrs["http"] + "/page"
	must(t, ctx, "curl", "-sS", "--fail", url)
	return h, url
}

// comesAgain asks for the page until it comes. A tunnel whose other end is gone
// without a word ends a minute later at the latest.
func comesAgain(t *testing.T, url string) {
	t.Helper()
	ctx := deadline(t, 75*time.Second)
	until(t, ctx, "the page comes again", func() bool {
		r := run(t, ctx, "curl", "-sS", "--fail", "--max-time", "5", url)
		return r.code == 0 && r.stdout == "the page"
	})
}

// TestReplaced: two agents with one key displace each other, and say so.
func TestReplaced(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	if err := os.MkdirAll(h.at("copy"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"agent.yaml", "router.key"} {
		write(t, h.at("copy/"+name), read(t, h.at("agent/"+name)))
	}
	second := start(t, ctx, "lethe-agent", "run", "--config", h.at("copy/agent.yaml"))
	second.ready(ctx)
	h.agent.prints(ctx, h.agent.stderr, 0, "replaced")
}

// TestAbortedDownload: a browser that goes away in the middle is no failure,
// and does the tunnel no harm.
func TestAbortedDownload(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	w := serveWeb(t, ctx, freePort(t))
	write(t, filepath.Join(w.root, "page"), "the page")
	w.put("large", natDownload, 3, sha256.New())
	h := newHome(t, ctx, "http=tcp:"+w.addr)
	h.pair(ctx)
	p, addrs := h.forward(ctx, "http")
	from := h.agent.stderr.mark()
	d := newDownload(t, ctx, "http://"+addrs["http"]+"/large")
	d.some(1 << 20)
	d.cmd.Process.Kill()
	h.agent.prints(ctx, h.agent.stderr, from, "stream closed")
	must(t, ctx, "curl", "-sS", "--fail", "http://"+addrs["http"]+"/page")
	if said := p.stderr.String(); said != "" {
		t.Errorf("lethe complains about it: %s", said)
	}
}
