package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/control"
	"github.com/lethe-relay/lethe/relay/forward"
)

// socketBuffer is the kernel buffer asked for each socket: a sixteenth of a second of 1 Gbit/s.
const socketBuffer = 8 << 20

// Relay is a relay that is ready to run: its port is open, nothing is read yet.
type Relay struct {
	cfg     *Config
	log     *slog.Logger
	url     auth.RelayURL
	plane   *forward.Plane
	control *control.Server
	admin   net.Listener // nil when off
	unlock  func()
}

// New opens the relay's port. Logs get events and numbers, never an identity
// or an address.
func New(cfg *Config, log *slog.Logger) (_ *Relay, err error) {
	r := &Relay{cfg: cfg, log: log}
	if r.unlock, err = statefile.Lock(cfg.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	id, err := cfg.identity()
	if err != nil {
		return nil, err
	}
	if r.plane, err = listen(cfg); err != nil {
		return nil, err
	}
	if r.url, err = cfg.url(id, r.plane.LocalAddr().Port()); err != nil {
		return nil, err
	}
	if r.admin, err = listenAdmin(cfg); err != nil {
		return nil, err
	}
	if r.control, err = newControl(cfg, id, r.plane, log); err != nil {
		return nil, err
	}
	return r, nil
}

// newControl makes the control plane. It reads all files that it needs, and asks
// nobody on the network.
func newControl(cfg *Config, id *auth.Identity, plane *forward.Plane, log *slog.Logger) (*control.Server, error) {
	cert, err := id.Certificate(time.Now())
	if err != nil {
		return nil, err
	}
	accounts, err := cfg.accounts(log)
	if err != nil {
		return nil, err
	}
	places, err := cfg.geoIP()
	if err != nil {
		return nil, err
	}
	return control.New(control.Config{
		TLS:         &tls.Config{Certificates: []tls.Certificate{cert}},
		Identity:    id,
		Token:       cfg.EnrolmentToken,
		Plane:       plane,
		IdleTimeout: time.Duration(cfg.IdleTimeout),
		Limits:      cfg.Limits.control(),
		Accounts:    accounts,
		Issuer:      wire.Issuer{URL: cfg.OIDC.Issuer, ClientID: cfg.OIDC.ClientID},
		GeoIP:       places,
		Log:         log,
	}), nil
}

func listen(cfg *Config) (*forward.Plane, error) {
	plane, err := forward.Listen(forward.Config{
		Listen:      cfg.Listen,
		Sockets:     runtime.GOMAXPROCS(0),
		BufferBytes: socketBuffer,
		MaxSessions: cfg.Limits.Sessions,
		IdleTimeout: time.Duration(cfg.IdleTimeout),
		OneWayBytes: uint64(cfg.Limits.OneWay),
	})
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("UDP %s is in use by another program: stop that one, or change listen in relay.yaml", cfg.Listen)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on UDP %s: take a port above 1023, or give the program CAP_NET_BIND_SERVICE", cfg.Listen)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("this machine does not have the address of UDP %s: change listen in relay.yaml", cfg.Listen)
	}
	return plane, err
}

// Addr is the UDP address that the relay listens on.
func (r *Relay) Addr() netip.AddrPort { return r.plane.LocalAddr() }

// URL is what routers are enrolled with. It holds the enrolment token.
func (r *Relay) URL() auth.RelayURL { return r.url }

// Stats reads the data plane's counters.
func (r *Relay) Stats() forward.Stats { return r.plane.Stats() }

// Routers is the number of routers present.
func (r *Relay) Routers() int { return r.control.Routers() }

// Run serves until ctx ends, which is no error. It may be called once.
func (r *Relay) Run(ctx context.Context) error {
	defer r.close()
	r.logStart()
	parts := []func(context.Context) error{r.control.Serve, r.serveAdmin}

	// The control plane says good-bye over the data plane's port: it ends first.
	planeCtx, stopPlane := context.WithCancel(context.WithoutCancel(ctx))
	defer stopPlane()
	planeDone := make(chan error, 1)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		err := r.plane.Run(planeCtx)
		cancel(err)
		planeDone <- err
	}()

	results := make(chan error, len(parts))
	for _, part := range parts {
		go func() {
			err := part(ctx)
			cancel(err)
			results <- err
		}()
	}
	var errs []error
	for range parts {
		errs = append(errs, <-results)
	}
	stopPlane()
	errs = append(errs, <-planeDone)
	r.logStop()
	return errors.Join(errs...)
}

func (r *Relay) logStart() {
	receive, send := r.plane.GrantedBuffers()
	offload := r.plane.Offload()
	r.log.Info("relay started", "sockets", runtime.GOMAXPROCS(0),
		"receive_buffer", receive, "send_buffer", send, "buffer_wanted", socketBuffer,
		"gro", offload.GRO, "gso", offload.GSO)
	if min(receive, send) < socketBuffer {
		r.log.Warn("the kernel gave smaller socket buffers than asked for: raise net.core.rmem_max and net.core.wmem_max, or give the program CAP_NET_ADMIN")
	}
}

func (r *Relay) logStop() {
	st := r.plane.Stats()
	attrs := []any{"datagrams", st.Datagrams, "bytes", st.Bytes}
	for _, reason := range forward.DropReasons() {
		if n := st.Dropped[reason]; n > 0 {
			attrs = append(attrs, "dropped_"+reason.String(), n)
		}
	}
	r.log.Info("relay stopped", attrs...)
}

func (r *Relay) close() {
	if r.plane != nil {
		r.plane.Close()
	}
	if r.admin != nil {
		r.admin.Close()
	}
	r.unlock()
}
