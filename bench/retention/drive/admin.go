package drive

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// adminTimeout is for an answer of a relay whose processor is busy.
const adminTimeout = 10 * time.Second

// Admin is where a relay answers its operator.
type Admin struct {
	Socket string // path of a unix socket; empty: Addr
	Addr   string // HOST:PORT
}

// URL is the URL of a path of the listener.
func (a Admin) URL(path string) string {
	if a.Socket != "" {
		return "http://relay" + path
	}
	return "http://" + a.Addr + path
}

// Get fetches a path.
func (a Admin) Get(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true}
	if a.Socket != "" {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", a.Socket)
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL(path), nil)
	if err != nil {
		return nil, err
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the relay answers %s with %s", path, answer.Status)
	}
	return body, err
}

// Metrics are samples by their name with labels, as they are published.
type Metrics map[string]float64

// Metrics scrapes the relay.
func (a Admin) Metrics(ctx context.Context) (Metrics, error) {
	body, err := a.Get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	m := make(Metrics)
	for scan := bufio.NewScanner(strings.NewReader(string(body))); scan.Scan(); {
		line := scan.Text()
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		if value, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			m[line[:at]] = value
		}
	}
	return m, nil
}

// Reasons why sessions end, as the relay names them.
const (
	endUnbound = "unbound"
	endIdle    = "idle"
	endByRelay = "by_relay"
)

// ended is how many sessions have ended for a reason.
func (m Metrics) ended(reason string) int {
	return int(m[fmt.Sprintf("lethe_relay_ended_sessions_total{reason=%q}", reason)])
}

// Sessions is how many there are.
func (m Metrics) Sessions() int { return int(m["lethe_relay_sessions"]) }

// Bytes is the payload that was forwarded.
func (m Metrics) Bytes() uint64 { return uint64(m["lethe_relay_forwarded_bytes_total"]) }

// Retention is what the relay says of its own lockdown.
type Retention struct {
	Mode     string    `json:"mode"`
	Controls []Control `json:"controls"`
}

// Control is one of its parts.
type Control struct {
	Name    string `json:"name"`
	InForce bool   `json:"in_force"`
	How     string `json:"how,omitempty"`
	Mend    string `json:"mend,omitempty"`
}

// Retention asks the relay.
func (a Admin) Retention(ctx context.Context) (r Retention, err error) {
	body, err := a.Get(ctx, "/retention")
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(body, &r)
}
