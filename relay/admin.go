package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/lethe-relay/lethe/internal/conf"
	"github.com/lethe-relay/lethe/internal/localsock"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/internal/telemetry"
)

const unixPrefix = "unix:"

// checkAdmin refuses an admin listener that others than this machine can reach.
func checkAdmin(s string) error {
	if s == "off" || strings.HasPrefix(s, unixPrefix) && len(s) > len(unixPrefix) {
		return nil
	}
	addr, err := netip.ParseAddrPort(s)
	if err != nil {
		return conf.KeyErrorf("admin", `must be "unix:PATH", a loopback address such as "127.0.0.1:9180", or "off"`)
	}
	if !addr.Addr().IsLoopback() {
		return conf.KeyErrorf("admin", "must be a loopback address: whoever reaches it can watch the relay")
	}
	return nil
}

func listenAdmin(cfg *Config) (net.Listener, error) {
	if cfg.Admin == "off" {
		return nil, nil
	}
	if path, ok := strings.CutPrefix(cfg.Admin, unixPrefix); ok {
		return localsock.Listen(cfg.path(path))
	}
	// Go would make a listener of Multipath TCP, which Landlock does not know.
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(context.Background(), "tcp", cfg.Admin)
	if err != nil {
		return nil, fmt.Errorf("open the admin listener: %w: change admin in relay.yaml", err)
	}
	return l, nil
}

// serveAdmin serves the operator's view until ctx ends.
func (r *Relay) serveAdmin(ctx context.Context) error {
	if r.admin == nil {
		<-ctx.Done()
		return nil
	}
	server := &http.Server{
		Handler: r.adminHandler(), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: r.log.Instead(telemetry.AdminTrouble), // its own would name addresses
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(r.admin); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// errExplainTCP is the answer to a question about somebody on a TCP listener.
var errExplainTCP = errors.New(`what is held about somebody is told on a unix socket alone, since any user of the machine can open a TCP port: set admin in relay.yaml to "unix:admin.sock", and start the relay again`)

// adminHandler gives everything to whoever may open the unix socket. A TCP listener
// can be opened by any user of the machine, and by web pages in a browser there.
func (r *Relay) adminHandler() http.Handler {
	pages := r.adminPages()
	if r.admin.Addr().Network() == "unix" {
		pages.HandleFunc("GET /explain/{id}", r.explain)
		return pages
	}
	pages.HandleFunc("GET /explain/{id}", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, errExplainTCP)
	})
	return noWebPage(pages)
}

// noWebPage refuses what a web page could have a browser ask: a request that tells
// its origin, or that is for a name, which whoever owns it can point to this machine.
func noWebPage(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch {
		case len(req.Header.Values("Origin")) > 0:
			refuse(w, http.StatusForbidden, errors.New("web pages are not answered: ask without an Origin header"))
		case !isLocal(req.Host):
			refuse(w, http.StatusMisdirectedRequest, errors.New("this name is not answered: ask by a loopback address, or localhost"))
		default:
			pages.ServeHTTP(w, req)
		}
	})
}

// isLocal tells whether the host of a request, with or without a port, is a loopback
// address or localhost.
func isLocal(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// adminPages are those that name nobody.
func (r *Relay) adminPages() *http.ServeMux {
	registry := prometheus.NewRegistry()
	registry.MustRegister(r.collector())
	registerLeak(registry, r.plane)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /retention", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, r.retention.check()) })
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, r.status()) })
	return mux
}

// Status is how the relay is, without anybody's name. It is the document /status.
type Status struct {
	Version     string         `json:"version"`
	Started     time.Time      `json:"started"`
	Routers     int            `json:"routers"`
	Sessions    int            `json:"sessions"`
	BoundLegs   int            `json:"bound_legs"`
	Datagrams   uint64         `json:"forwarded_datagrams"`
	Bytes       uint64         `json:"forwarded_bytes"`
	Lockdown    StatusLockdown `json:"lockdown"`
	Certificate StatusCert     `json:"certificate"`
}

// StatusLockdown is a summary of [Retention].
type StatusLockdown struct {
	Mode       lockdown.Mode `json:"mode"`
	InForce    bool          `json:"in_force"`
	NotInForce []string      `json:"not_in_force"`
	At         time.Time     `json:"verified_at"`
}

// StatusCert is what the relay's clients recognise it by.
type StatusCert struct {
	Files   bool      `json:"from_files"`       // false: the relay's own, which clients pin
	Expires time.Time `json:"expires,omitzero"` // of one from files
}

func (r *Relay) status() Status {
	st, state := r.plane.Stats(), r.retention.recent()
	return Status{
		Version: r.version, Started: r.started.UTC(),
		Routers: r.control.Routers(), Sessions: st.Sessions, BoundLegs: st.BoundLegs, Datagrams: st.Datagrams, Bytes: st.Bytes,
		Lockdown:    StatusLockdown{state.Mode, state.InForce, state.NotInForce(), state.At},
		Certificate: StatusCert{r.certificate.files, r.certificate.expires().UTC()},
	}
}

// explain answers what is held about somebody. The question itself is held for as
// long as the answer takes, and is made to leave the heap then.
func (r *Relay) explain(w http.ResponseWriter, req *http.Request) {
	defer r.forgetter.over()
	id := req.PathValue("id")
	who, err := parseSubject(id)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	answer(w, http.StatusOK, who.explain(r.control))
}

func refuse(w http.ResponseWriter, status int, why error) {
	answer(w, status, map[string]string{"error": why.Error()})
}

func answer(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(document)
}
