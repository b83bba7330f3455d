//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPortInUse: whoever comes second says so, and which port it is.
func TestPortInUse(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	h.pair(ctx)
	t.Run("relay", func(t *testing.T) {
		other := filepath.Join(t.TempDir(), "relay")
		must(t, ctx, "lethe-relay", "init", "--dir", other, "--listen", h.listen())
		run(t, ctx, "lethe-relay", "run", "--config", filepath.Join(other, "relay.yaml")).refused(t, 1, h.listen(), "in use", "relay.yaml")
	})
	t.Run("same relay twice", func(t *testing.T) {
		run(t, ctx, "lethe-relay", "run", "--config", h.at("relay/relay.yaml")).refused(t, 1, h.at("relay"), "in use")
	})
	t.Run("same agent twice", func(t *testing.T) {
		run(t, ctx, "lethe-agent", "run", "--config", h.at("agent/agent.yaml")).refused(t, 1, h.at("agent"), "in use")
	})
	t.Run("forward", func(t *testing.T) {
		_, addrs := h.forward(ctx, "status")
		h.lethe(ctx, "phone", "forward", "home", "status", "--listen", addrs["status"]).refused(t, 1, addrs["status"], "in use", "--listen")
	})
}

// listen is where the relay does.
func (h *home) listen() string {
	line := h.relay.stdout.String()
	_, addr, _ := strings.Cut(line, "ready ")
	return strings.TrimSpace(addr)
}

// TestWrongRelay: an agent does not go on with a relay that is not the one of
// its URL, or that does not know its token.
func TestWrongRelay(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	h.pair(ctx)
	other := newRelay(t, ctx)
	for _, c := range []struct {
		name, part string
		says       []string
	}{
		{"pin", "pin", []string{"relay", "pin"}},
		{"token", "token", []string{"not_enrolled", "lethe-relay url"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "agent")
			must(t, ctx, "lethe-agent", "init", "--dir", dir, "--relay", swap(t, h.url, other.url, c.part))
			run(t, ctx, "lethe-agent", "run", "--config", filepath.Join(dir, "agent.yaml")).refused(t, 3, c.says...)
		})
	}
	t.Run("pin at the device", func(t *testing.T) {
		uri := swap(t, h.uri(ctx), other.url, "pin")
		h.lethe(ctx, "mistaken", "pair", uri).refused(t, 3, "relay", "pin")
	})
}

// TestUnreachableRelay: the agent goes on trying and says so; the phone gives up.
func TestUnreachableRelay(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	h.pair(ctx)
	uri := h.uri(ctx)
	h.agent.stop(syscall.SIGINT)
	h.relay.stop(syscall.SIGINT)

	h.agent = start(t, ctx, "lethe-agent", "run", "--config", h.at("agent/agent.yaml"))
	h.lethe(ctx, "phone", "status", "home").refused(t, 4, h.listen(), "UDP")
	h.lethe(ctx, "phone", "forward", "home", "http").refused(t, 4, h.listen())
	h.lethe(ctx, "other", "pair", uri).refused(t, 4, h.listen())
	first := h.agent.prints(ctx, h.agent.stderr, 0, "not registered")
	if !strings.Contains(first, h.listen()) || !strings.Contains(first, "retry_in=") {
		t.Errorf("the log says neither where nor when: %s", first)
	}
	h.runRelay(ctx)
	h.agent.ready(ctx)
}

// TestServiceDown: curl gets an error, and lethe says why, each time anew: the
// refusal and the end of the stream come together, and one must not hide the other.
func TestServiceDown(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	need(t, map[string]string{"curl": "curl"})
	h := newHome(t, ctx, "http=tcp:"+freePort(t), "gone=unix:/nowhere/at.sock")
	h.pair(ctx)
	p, addrs := h.forward(ctx, "http", "gone")
	const times = 100
	for service, addr := range addrs {
		from := p.stderr.mark()
		curl := []string{"curl", "-sS"}
		for range times {
			curl = append(curl, "http://"+addr)
		}
		if r := run(t, ctx, curl...); r.code == 0 || r.stdout != "" {
			t.Errorf("curl got an answer: %s", r.stdout)
		}
		line := "lethe: " + service + ": the router can't reach the service on its side (service_down)"
		until(t, ctx, "lethe has spoken", func() bool { return strings.Count(p.stderr.String()[from:], "\n") >= times })
		if got := strings.Count(p.stderr.String()[from:], line); got != times {
			t.Errorf("lethe gives the reason %d times of %d:\n%s", got, times, p.stderr)
		}
		h.lethe(ctx, "phone", "nc", "home", service).refused(t, 3, "service_down")
	}
	h.lethe(ctx, "phone", "forward", "home", "ftp").refused(t, 1, `"ftp"`, "http, gone, status")
	h.lethe(ctx, "phone", "nc", "home", "ftp").refused(t, 3, "unknown_service")
}

// TestUnknownRouter lists those that are known.
func TestUnknownRouter(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	h.lethe(ctx, "phone", "status", "home").refused(t, 1, `"home"`, "lethe pair")
	h.pair(ctx)
	h.lethe(ctx, "phone", "status", "../home").refused(t, 1, `"../home"`, "home")
	h.lethe(ctx, "phone", "status", "hme").refused(t, 1, `"hme"`, "paired are: home")
	h.agent.stop(syscall.SIGTERM)
	h.lethe(ctx, "phone", "status", "home").refused(t, 4, "router_offline", "lethe-agent")
}

// TestFullDisk fills the disk that the phone keeps its folder on. Nothing is
// left half-written, and the pairing URI keeps its one use.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	needRoot(t, "mount a small disk")
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	for _, c := range []struct {
		name string
		free int // bytes
	}{{"full", 0}, {"key fits", 4 << 10}, {"grant does not fit", 12 << 10}} {
		t.Run(c.name, func(t *testing.T) {
			disk := smallDisk(t)
			phone := filepath.Join(disk, "phone")
			must(t, ctx, "mkdir", "-m", "700", phone)
			filler := fill(t, disk, c.free)
			uri := h.uri(ctx)
			r := run(t, ctx, "lethe", "--dir", phone, "pair", uri, "--name", "home")
			r.refused(t, 1, phone, "no space left", "free some space")
			for _, path := range files(t, phone) {
				name := filepath.Base(path)
				if size := len(read(t, path)); name != "lock" && (name != "device.key" || size == 0) {
					t.Errorf("%s with %d bytes is left over", path, size)
				}
			}
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			must(t, ctx, "lethe", "--dir", phone, "pair", uri, "--name", "home")
			must(t, ctx, "lethe", "--dir", phone, "status", "home")
		})
	}
}

// smallDisk mounts a file system of 64 KiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("no tmpfs can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves so many bytes free.
func fill(t *testing.T, disk string, free int) (filler string) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(disk, &st); err != nil {
		t.Fatal(err)
	}
	filler = filepath.Join(disk, "filler")
	write(t, filler, strings.Repeat("x", int(st.Bfree)*int(st.Bsize)-free))
	return filler
}

// files are all files below a folder.
func files(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
