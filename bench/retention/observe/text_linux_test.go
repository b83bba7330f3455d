package observe

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

func TestOutput(t *testing.T) {
	k := canary.NewKey()
	f := canary.NewFinder(canary.Sought{Key: k, Identifiers: []canary.Identifier{canary.Text("router", "ROUTER-ABCD")}})
	out, write := io.Pipe()
	var echo strings.Builder
	o := CollectOutput(map[string]io.Reader{"stdout": out, "stderr": strings.NewReader("all is well\n")}, &echo)
	fmt.Fprintf(write, "started\npacket=%s\n", payload(k, 3))
	fmt.Fprint(write, strings.Repeat("x", 10_000)+" router=router-abcd")
	write.Close()
	o.Stop()
	found, r := o.Scan(f)
	if found.Canaries != 3 || found.Identifiers != 1 {
		t.Errorf("found %+v", found)
	}
	if len(r.Findings) != 1 || !strings.Contains(r.Findings[0].What, `stdout holds 3 canaries, 0 windows and 1 identifiers (["router"])`) {
		t.Errorf("findings: %v", r.Findings)
	}
	if !strings.Contains(echo.String(), "all is well\n") {
		t.Error("nothing is echoed")
	}
}

func TestOutputOfChild(t *testing.T) {
	k := canary.NewKey()
	c := startChild(t)
	o := CollectOutput(map[string]io.Reader{"stderr": c.errors}, nil)
	c.do("print", payload(k, 2))
	c.in.Close()
	o.Stop()
	if found, _ := o.Scan(canary.NewFinder(canary.Sought{Key: k})); found.Canaries != 2 {
		t.Errorf("found %+v", found)
	}
}

// TestMetrics: payload in a label is found over TCP and a unix socket; a listener that isn't there is a gap.
func TestMetrics(t *testing.T) {
	k := canary.NewKey()
	label := payload(k, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "lethe_up 1\n")
		if r.URL.Path == "/bad" {
			fmt.Fprintf(w, "lethe_leak{payload=%q} 1\n", label)
		}
	})
	server := httptest.NewServer(handler)
	defer server.Close()
	socket := filepath.Join(t.TempDir(), "admin")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	unixServer := &http.Server{Handler: handler}
	go unixServer.Serve(listener)
	defer unixServer.Close()
	for _, c := range []struct {
		socket, url           string
		findings, gaps, found int
	}{
		{"", server.URL + "/good", 0, 0, 0},
		{"", server.URL + "/bad", 1, 0, 2},
		{socket, "http://relay/bad", 1, 0, 2},
		{socket + "x", "http://relay/bad", 0, 1, 0},
	} {
		m := WatchMetrics(c.socket, []string{c.url}, time.Hour)
		m.Stop()
		found, r := m.Scan(canary.NewFinder(canary.Sought{Key: k}))
		if found.Canaries != c.found || len(r.Findings) != c.findings || len(r.NotChecked) != c.gaps {
			t.Errorf("%+v: found %+v, %+v", c, found, r)
		}
	}
}
