package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/localsock"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/account"
)

func quiet() *telemetry.Log { return nil }

// running is a relay and a way to end it.
type running struct {
	*Relay
	stop func()
}

func start(t *testing.T, cfg *Config, log *telemetry.Log) running {
	t.Helper()
	r, err := New(cfg, "v0", log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, nil) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(stop)
	return running{r, stop}
}

// metrics asks the relay's admin socket; samples are by name and labels.
func (r running) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	samples := make(map[string]float64)
	for line := range strings.Lines(r.get(t, "/metrics")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		var err error
		if samples[name], err = strconv.ParseFloat(value, 64); err != nil {
			t.Fatal(err)
		}
	}
	return samples
}

// get asks the relay's admin socket.
func (r running) get(t *testing.T, page string) string {
	t.Helper()
	path := r.cfg.path(strings.TrimPrefix(r.cfg.Admin, unixPrefix))
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return localsock.Dial(ctx, path)
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://relay" + page)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	return string(body)
}

func TestRun(t *testing.T) {
	_, cfg := initRelay(t)
	var log bytes.Buffer
	r := start(t, cfg, telemetry.New(slog.New(slog.NewTextHandler(&log, nil))))
	if r.Addr().Port() == 0 || r.URL().Host != r.Addr().String() || r.URL().Token != cfg.EnrolmentToken {
		t.Errorf("listens on %v, URL is %v", r.Addr(), r.URL().Redacted())
	}
	socket := cfg.path("admin.sock")
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the admin socket: %v, %v", info, err)
	}
	if _, err := New(cfg, "v0", quiet()); !errors.Is(err, statefile.ErrLocked) {
		t.Errorf("a second relay in the same directory: %v", err)
	}
	r.metrics(t) // so that it serves for sure
	r.stop()
	if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the admin socket is left behind: %v", err)
	}
	for _, event := range []string{"relay started", "receive_buffer=", "send_buffer=", "relay stopped"} {
		if !strings.Contains(log.String(), event) {
			t.Errorf("the log does not say %q", event)
		}
	}
	if strings.Contains(log.String(), cfg.EnrolmentToken.String()) || strings.Contains(log.String(), "127.0.0.1") {
		t.Error("the log holds the token or an address")
	}
	start(t, cfg, quiet()).stop() // nothing is held any more
}

func TestRunWithoutAdmin(t *testing.T) {
	_, cfg := initRelay(t)
	cfg.Admin = "off"
	start(t, cfg, quiet()).stop()
	if _, err := os.Stat(cfg.path("admin.sock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is an admin socket: %v", err)
	}
}

// TestIssuerThatIsDown: a relay starts without it, and tells devices where it is.
func TestIssuerThatIsDown(t *testing.T) {
	_, cfg := initRelay(t)
	cfg.OIDC = account.Config{Issuer: "https://login.invalid", ClientID: "lethe"}
	r := start(t, cfg, quiet())
	if m := request[*wire.Issuer](t, newPeer(t, r), &wire.Login{}); m.URL != cfg.OIDC.Issuer || m.ClientID != "lethe" {
		t.Errorf("devices are told %+v", *m)
	}
}

// TestEraseAtARelay: its receipt is signed with the key that the relay has.
func TestEraseAtARelay(t *testing.T) {
	_, cfg := initRelay(t)
	id, err := cfg.identity()
	if err != nil {
		t.Fatal(err)
	}
	held := request[*wire.Held](t, newPeer(t, start(t, cfg, quiet())), &wire.Inspect{Router: id.RouterID(), Erase: true})
	var receipt auth.Receipt
	if err := json.Unmarshal(held.Receipt, &receipt); err != nil {
		t.Fatal(err)
	}
	if err := receipt.Verify(id.PublicKey()); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	taken, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string // part of the error
	}{
		{"port in use", func(c *Config) { c.Listen = taken.LocalAddr().(*net.UDPAddr).AddrPort() }, "is in use by another program"},
		{"address of another machine", func(c *Config) { c.Listen = netip.MustParseAddrPort("192.0.2.1:443") }, "does not have the address"},
		{"admin port in use", func(c *Config) { c.Admin = admin.Addr().String() }, "change admin in relay.yaml"},
		{"no key", func(c *Config) { c.Key = "other.key" }, "there is no relay key"},
		{"no MaxMind file", func(c *Config) { c.GeoIP.ASN = "gone.mmdb" }, "new/gone.mmdb"},
		{"a MaxMind file that is none", func(c *Config) { c.GeoIP.Country = c.Key }, "geoip.country names"},
		{"no directory", func(c *Config) { c.dir = filepath.Join(c.dir, "gone") }, "gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, cfg := initRelay(t)
			good := *cfg
			tt.change(cfg)
			if _, err := New(cfg, "v0", quiet()); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("New = %v, want one sentence with %q", err, tt.want)
			}
			start(t, &good, quiet()).stop() // the failure holds no lock and no port
		})
	}
}

// TestTwoRelaysDoNotShareAPort: with SO_REUSEPORT the kernel would let a second
// relay of the same user have a part of the first one's datagrams.
func TestTwoRelaysDoNotShareAPort(t *testing.T) {
	_, first := initRelay(t)
	r := start(t, first, quiet())
	_, second := initRelay(t)
	second.Listen = r.Addr()
	if s, err := New(second, "v0", quiet()); err == nil {
		s.close()
		t.Fatal("two relays listen on one port")
	} else if !strings.Contains(err.Error(), "is in use by another program") {
		t.Errorf("New = %v", err)
	}
}
