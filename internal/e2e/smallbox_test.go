//go:build linux

package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What an agent may take of a small router's memory, in bytes: resident, code and all.
const (
	idleMemory = 12 << 20 // registered, and nobody there
	busyMemory = 24 << 20 // at most, while a device downloads and uploads as fast as it can
)

// TestSmallBoxMemory: an agent of 32 bits stays within its memory. It is built for
// 386, which this machine runs by itself: an emulator's own memory would count,
// too. Pointers, buffers and heap are as large as on arm and mipsle; the code is
// of about the size of arm's.
func TestSmallBoxMemory(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs a processor that runs programs for 386")
	}
	ctx := deadline(t, 2*time.Minute)
	dir := t.TempDir()
	crossBuild(t, filepath.Join(dir, "lethe-agent"), []string{"GOARCH=386"})
	h := newRelay(t, ctx)
	h.places.router = []string{"env", "PATH=" + dir}
	content := randomBytes(64 << 20)
	h.startAgent(ctx, "http=tcp:"+serveMirror(t, content))
	h.relay.prints(ctx, h.relay.stderr, 0, "router registered")
	pid := h.agent.cmd.Process.Pid
	if idle := memoryOf(t, pid, "VmRSS"); idle > idleMemory {
		t.Errorf("idle: %d KiB, more than %d", idle>>10, idleMemory>>10)
	} else {
		t.Logf("idle: %d KiB", idle>>10)
	}
	h.pair(ctx)
	_, addrs := h.forward(ctx, "http")
	url := "http://" + addrs["http"]
	if got := fetched(t, func() (*http.Response, error) { return http.Get(url) }); len(got) != len(content) {
		t.Errorf("down: %d bytes", len(got))
	}
	fetched(t, func() (*http.Response, error) { return http.Post(url, "", bytes.NewReader(content)) })
	if busy := memoryOf(t, pid, "VmHWM"); busy > busyMemory {
		t.Errorf("busy: %d KiB, more than %d", busy>>10, busyMemory>>10)
	} else {
		t.Logf("busy: %d KiB, of that %d anonymous now", busy>>10, memoryOf(t, pid, "RssAnon")>>10)
	}
}

// memoryOf is one of the figures of /proc/PID/status, in bytes.
func memoryOf(t *testing.T, pid int, figure string) int64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == figure+":" && fields[2] == "kB" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no %s in\n%s", figure, status)
	return 0
}
