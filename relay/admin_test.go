package relay

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// onTCP is a relay whose admin listener is a TCP port.
func onTCP(t *testing.T) running {
	t.Helper()
	_, cfg := initRelay(t)
	cfg.Admin = "127.0.0.1:0"
	r := start(t, cfg, quiet())
	cfg.Admin = r.admin.Addr().String()
	return r
}

// request asks the port for a page, with a host and an origin, which may be empty.
func (r running) request(t *testing.T, page, host, origin string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.admin.Addr().String()+page, nil)
	if err != nil {
		t.Fatal(err)
	}
	if req.Host = host; origin != "" {
		req.Header.Set("Origin", origin)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestExplainOnTCP: a port, which any user of the machine can open, tells of nobody;
// it says what to do, and so does the command.
func TestExplainOnTCP(t *testing.T) {
	r := onTCP(t)
	status, body := r.request(t, "/explain/127.0.0.1", "", "")
	var told map[string]string
	if err := json.Unmarshal([]byte(body), &told); err != nil || status != http.StatusForbidden || len(told) != 1 || !strings.Contains(told["error"], `"unix:admin.sock"`) {
		t.Errorf("%d, %s, %v", status, body, err)
	}
	if _, err := r.cfg.AskExplain(t.Context(), "127.0.0.1"); err == nil || !strings.Contains(err.Error(), `"unix:admin.sock"`) {
		t.Errorf("AskExplain = %v", err)
	}
	if s, err := r.cfg.AskStatus(t.Context()); err != nil || s.Version != "v0" {
		t.Errorf("AskStatus = %+v, %v", s, err)
	}
}

// TestAdminRefusesWebPages: a page in a browser of this machine gets nothing, neither
// with its origin nor by a name that leads here.
func TestAdminRefusesWebPages(t *testing.T) {
	r := onTCP(t)
	for _, host := range []string{"", "127.0.0.1", "127.9.9.9:9180", "[::1]:9180", "[::1]", "localhost", "LocalHost:9180"} {
		if status, body := r.request(t, "/metrics", host, ""); status != http.StatusOK {
			t.Errorf("for %q: %d, %s", host, status, body)
		}
	}
	for _, page := range []string{"/metrics", "/retention", "/status", "/explain/127.0.0.1"} {
		for _, host := range []string{"evil.example", "evil.example:9180", "localhost.evil.example", "127.0.0.1.evil.example:9180", "192.0.2.1:9180", "0.0.0.0:9180", "[::]:9180"} {
			if status, body := r.request(t, page, host, ""); status != http.StatusMisdirectedRequest || strings.Contains(body, "lethe_relay") {
				t.Errorf("%s for %q: %d, %s", page, host, status, body)
			}
		}
		for _, origin := range []string{"http://evil.example", "null", "http://127.0.0.1"} {
			if status, body := r.request(t, page, "", origin); status != http.StatusForbidden || strings.Contains(body, "lethe_relay") {
				t.Errorf("%s from %q: %d, %s", page, origin, status, body)
			}
		}
	}
}

// TestCertificateIsRehearsed: a relay that can't read its certificate a second time,
// as after a renewal, does not serve.
func TestCertificateIsRehearsed(t *testing.T) {
	_, cfg := withCertificate(t)
	r, err := New(cfg, "v0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(cfg.path(cfg.CertificateKey)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = r.Run(ctx, func() {
		t.Error("it is ready")
		cancel()
	})
	if err == nil || !strings.Contains(err.Error(), "privkey.pem") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Run = %v, want one sentence that names the file", err)
	}
}
