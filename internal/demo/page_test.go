package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/lethe-relay/lethe/tunnel/service"
)

func testPage(t *testing.T) *page {
	t.Helper()
	leases := filepath.Join(t.TempDir(), "leases")
	if err := writeLeases(leases, time.Now()); err != nil {
		t.Fatal(err)
	}
	p, err := newPage("test", leases)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.listener.Close() })
	return p
}

func TestPage(t *testing.T) {
	p := testPage(t)
	one, _, _ := digestOf(newContent(p.secret, 100_000))
	for _, tc := range []struct {
		method, path, body, digest string
		status                     int
		want                       string
	}{
		{"GET", "/", "", "", 200, p.secret},
		{"GET", "/", "", "", 200, "<title>" + pageTitle},
		{"GET", "/style.css", "", "", 200, "light-dark("},
		{"GET", "/page.js", "", "", 200, "Content-Digest"},
		{"GET", "/site/page.html", "", "", 404, ""},
		{"POST", "/", "", "", 405, ""},
		{"GET", "/data?bytes=100000", "", one, 200, p.secret},
		{"GET", "/data?bytes=0", "", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", 200, ""},
		{"GET", "/data", "", "", 400, "?bytes=N"},
		{"GET", "/data?bytes=-1", "", "", 400, "?bytes=N"},
		{"GET", "/data?bytes=9999999999999", "", "", 400, "?bytes=N"},
		{"GET", "/sink", "", "", 405, ""},
		{"POST", "/sink", "hello", "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:", 200, "5 bytes"},
		{"POST", "/sink", "hallo", "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:", 422, "another digest"},
		{"POST", "/sink", "hello", "", 422, "another digest"},
	} {
		t.Run(tc.method+tc.path, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body))
			if tc.method == "POST" && tc.digest != "" {
				r.Header.Set("Content-Digest", tc.digest)
			}
			w := httptest.NewRecorder()
			p.routes().ServeHTTP(w, r)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("got %d, %.200q", w.Code, w.Body)
			}
			if got := w.Header().Get("Content-Digest"); w.Code == 200 && got != tc.digest {
				t.Errorf("the digest is %q, want %q", got, tc.digest)
			}
		})
	}
}

func TestStatusJSON(t *testing.T) {
	w := httptest.NewRecorder()
	testPage(t).routes().ServeHTTP(w, httptest.NewRequest("GET", "/status.json", nil))
	var status service.Status
	if err := json.Unmarshal(w.Body.Bytes(), &status); err != nil {
		t.Fatal(err)
	}
	if len(status.Clients) != 5 || status.ClientsSkipped != 0 || status.AgentVersion != "test" {
		t.Errorf("got %+v", status)
	}
	for _, c := range status.Clients {
		if !strings.HasPrefix(c.Hostname, "demo-") || c.Expires.Before(time.Now()) {
			t.Errorf("got %+v", c)
		}
	}
}

func TestContent(t *testing.T) {
	for _, size := range []int64{0, 1, recordBytes - 1, chunkBytes, chunkBytes + 1, 3*chunkBytes + 77} {
		all, err := io.ReadAll(newContent("secret", size))
		if err != nil || int64(len(all)) != size {
			t.Fatalf("%d bytes of %d, %v", len(all), size, err)
		}
		if n := int64(bytes.Count(all, []byte("secret"))); n < size/recordBytes {
			t.Errorf("%d bytes hold the secret %d times", size, n)
		}
		whole, _, _ := digestOf(bytes.NewReader(all))
		pieces, n, _ := digestOf(iotest.HalfReader(newContent("secret", size)))
		if whole != pieces || n != size {
			t.Errorf("%d bytes in pieces: %s, %d; want %s", size, pieces, n, whole)
		}
		if size > 2*chunkBytes {
			swapped := bytes.Join([][]byte{all[chunkBytes : 2*chunkBytes], all[:chunkBytes], all[2*chunkBytes:]}, nil)
			if other, _, _ := digestOf(bytes.NewReader(swapped)); other == whole {
				t.Error("in another order it has the same digest")
			}
		}
	}
}

// TestBrowser has a real browser render the page, which came through the tunnel.
func TestBrowser(t *testing.T) {
	browser := findBrowser(t)
	s := testStage(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
		"--virtual-time-budget=2000", "--dump-dom", s.url)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", browser, err)
	}
	for _, want := range []string{
		s.page.secret,
		"<dt>Services</dt><dd>http</dd>", "<dt>Agent</dt><dd>test</dd>",
		"<td>demo-phone</td><td>192.168.1.102</td>", "demo data",
	} {
		if !bytes.Contains(dom, []byte(want)) {
			t.Errorf("%q is not in what the browser made of the page:\n%s", want, dom)
		}
	}
	if _, err := s.searched(0); err != nil {
		t.Error(err)
	}
}

func findBrowser(t *testing.T) string {
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip(fmt.Sprint("none of these browsers is installed: ", names))
	return ""
}
