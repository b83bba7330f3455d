package relay

import (
	"context"
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
	l, err := net.Listen("tcp", cfg.Admin)
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
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(r.plane, r.control))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(r.admin); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
