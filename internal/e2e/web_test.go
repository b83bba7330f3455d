//go:build linux

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWeb reaches a web server with curl, in the ways that a browser would.
func TestWeb(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	w := serveWeb(t, ctx, freePort(t))
	h := newHome(t, ctx, "http=tcp:"+w.addr)
	h.pair(ctx)
	_, addrs := h.forward(ctx, "http")
	base := "http://" + addrs["http"]

	t.Run("page", func(t *testing.T) {
		write(t, filepath.Join(w.root, "page.html"), "<p>the router's own page</p>\n")
		if got := must(t, ctx, "curl", "-sS", "--fail", base+"/page.html"); got != "<p>the router's own page</p>\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("not found", func(t *testing.T) {
		if got := must(t, ctx, "curl", "-sS", "-o", os.DevNull, "-w", "%{http_code}", base+"/nothing"); got != "404" {
			t.Errorf("status %s, want 404", got)
		}
	})
	t.Run("keep-alive", func(t *testing.T) {
		write(t, filepath.Join(w.root, "again.html"), "again")
		url := base + "/again.html"
		got := must(t, ctx, "curl", "-sS", "--fail", "-w", " %{num_connects}\n", url, url, url)
		if got != "again 1\nagain 0\nagain 0\n" {
			t.Errorf("answers and new connections:\n%s", got)
		}
	})
	t.Run("parallel", func(t *testing.T) { parallel(t, w, base) })
	t.Run("upload", func(t *testing.T) { upload(t, w, base) })
}

// parallel gets many files at once, each with its own content.
func parallel(t *testing.T, w *web, base string) {
	ctx := deadline(t, 30*time.Second)
	const files, size = 40, 300 << 10
	dir := t.TempDir()
	want := make(map[string]string)
	curl := []string{"curl", "-sS", "--fail", "-Z", "--parallel-max", "20", "--parallel-immediate"}
	for i := range files {
		name := fmt.Sprintf("parallel-%d", i)
		digest := sha256.New()
		w.put(name, size, byte(i), digest)
		want[name] = hex.EncodeToString(digest.Sum(nil))
		curl = append(curl, "-o", filepath.Join(dir, name), base+"/"+name)
	}
	must(t, ctx, curl...)
	for name, sum := range want {
		if got := sumOf(t, filepath.Join(dir, name)); got != sum {
			t.Errorf("%s arrived with SHA-256 %s, want %s", name, got, sum)
		}
	}
}

func upload(t *testing.T, w *web, base string) {
	ctx := deadline(t, 30*time.Second)
	w.put("source", 32<<20, 77, sha256.New())
	source := filepath.Join(w.root, "source")
	must(t, ctx, "curl", "-sS", "--fail", "-T", source, base+"/put/target")
	if got, want := sumOf(t, filepath.Join(w.root, "put", "target")), sumOf(t, source); got != want {
		t.Errorf("arrived with SHA-256 %s, want %s", got, want)
	}
}

func sumOf(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(digest.Sum(nil))
}

// TestDownload: a gigabyte arrives whole.
func TestDownload(t *testing.T) {
	ctx := deadline(t, 2*time.Minute)
	size := int64(1 << 30)
	if testing.Short() {
		size = 64 << 20
	}
	w := serveWeb(t, ctx, freePort(t))
	want := sha256.New()
	w.put("large", size, 1, want)
	h := newHome(t, ctx, "http=tcp:"+w.addr)
	h.pair(ctx)
	_, addrs := h.forward(ctx, "http")

	began := time.Now()
	d := newDownload(t, ctx, "http://"+addrs["http"]+"/large")
	d.rest()
	if d.size != size || d.sum() != hex.EncodeToString(want.Sum(nil)) {
		t.Errorf("%d bytes arrived, want %d with the same SHA-256", d.size, size)
	}
	t.Logf("%.0f MB/s", float64(size)/1e6/time.Since(began).Seconds())
}

// TestEndOfStream: the end of what nc reads reaches the service, whose answer
// still comes back whole.
func TestEndOfStream(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	echo := serveEcho(t)
	h := newHome(t, ctx, "echo=tcp:"+echo)
	h.pair(ctx)
	sent := strings.Repeat("all of it, and in order\n", 1<<16)
	r := runWith(t, ctx, sent, "lethe", "--dir", h.at("phone"), "nc", "home", "echo")
	if r.code != 0 || r.stdout != sent {
		t.Errorf("exit code %d, %d bytes came back of %d\n%s", r.code, len(r.stdout), len(sent), r.stderr)
	}
}
