//go:build linux

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// emulated are the small routers whose agents are run on this machine's processor, by QEMU.
var emulated = []struct {
	arch, qemu string
	env        []string
}{
	{"arm", "qemu-arm", []string{"GOARCH=arm", "GOARM=7"}},
	{"mipsle", "qemu-mipsel", []string{"GOARCH=mipsle", "GOMIPS=softfloat"}},
}

// TestEmulated: an agent that was built for a small router, 32 bits and soft
// float, carries bytes unchanged both ways, for a device and through a relay of this machine.
func TestEmulated(t *testing.T) {
	for _, router := range emulated {
		t.Run(router.arch, func(t *testing.T) {
			need(t, map[string]string{router.qemu: "qemu-user"})
			dir := t.TempDir()
			crossBuild(t, filepath.Join(dir, "lethe-agent"), router.env)
			ctx := deadline(t, 3*time.Minute)
			size := 8 << 20
			if testing.Short() {
				size = 1 << 20
			}
			want := randomBytes(size)
			h := newRelay(t, ctx)
			h.places.router = []string{"env", "--chdir", dir, router.qemu}
			h.startAgent(ctx, "http="+"tcp:"+serveMirror(t, want))
			h.pair(ctx)
			_, addrs := h.forward(ctx, "http")
			url := "http://" + addrs["http"]

			if got := fetched(t, func() (*http.Response, error) { return http.Get(url) }); !bytes.Equal(got, want) {
				t.Errorf("down: %d bytes, which are not the %d that were sent", len(got), size)
			}
			got := fetched(t, func() (*http.Response, error) { return http.Post(url, "", bytes.NewReader(want)) })
			if digest := sha256.Sum256(want); string(got) != hex.EncodeToString(digest[:]) {
				t.Errorf("up: the router has got other bytes: %.100s", got)
			}
		})
	}
}

// crossBuild builds the agent as a router's firmware has it.
func crossBuild(t *testing.T, to string, env []string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, "./cmd/lethe-agent")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// serveMirror answers GET with content, and POST with the digest of what was sent.
func serveMirror(t *testing.T, content []byte) (addr string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Write(content)
			return
		}
		digest := sha256.New()
		io.Copy(digest, r.Body)
		fmt.Fprintf(w, "%x", digest.Sum(nil))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func fetched(t *testing.T, ask func() (*http.Response, error)) []byte {
	t.Helper()
	answer, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("after %d bytes: %v", len(body), err)
	}
	return body
}

// randomBytes are the same each time, and do not repeat.
func randomBytes(n int) []byte {
	var seed [32]byte
	random := rand.NewChaCha8(seed)
	b := make([]byte, n)
	random.Read(b)
	return b
}
