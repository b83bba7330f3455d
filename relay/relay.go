package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/control"
	"github.com/lethe-relay/lethe/relay/forward"
)

// socketBuffer is the kernel buffer asked for each socket: a sixteenth of a second of 1 Gbit/s.
const socketBuffer = 8 << 20

// Relay is a relay that is ready to run: its port is open, nothing is read yet.
type Relay struct {
	cfg         *Config
	version     string
	log         *telemetry.Log
	url         auth.RelayURL
	certificate *certificate
	plane       *forward.Plane
	control     *control.Server
	forgetter   *forgetter
	admin       net.Listener // nil when off
	unlock      func()

	// set by Run
	retention *retention
	started   time.Time
}

// New opens the relay's port. The version is the program's, to be told. A nil log
// says nothing.
func New(cfg *Config, version string, log *telemetry.Log) (_ *Relay, err error) {
	r := &Relay{cfg: cfg, version: version, log: log, forgetter: newForgetter()}
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
	if r.certificate, err = cfg.certificate(id, r.plane.LocalAddr().Port(), log); err != nil {
		return nil, err
	}
	r.url = cfg.url(r.certificate, r.plane.LocalAddr().Port())
	if r.admin, err = listenAdmin(cfg); err != nil {
		return nil, err
	}
	if err = r.openControl(id); err != nil {
		return nil, err
	}
	return r, nil
}

// openControl makes the control plane. It reads all files that it needs, and asks
// nobody on the network.
func (r *Relay) openControl(id *auth.Identity) error {
	cfg := r.cfg
	accounts, err := cfg.accounts(r.log)
	if err != nil {
		return err
	}
	places, err := cfg.geoIP()
	if err != nil {
		return err
	}
	r.control = control.New(control.Config{
		TLS:         r.certificate.tls(),
		Identity:    id,
		Token:       cfg.EnrolmentToken,
		Plane:       r.plane,
		IdleTimeout: time.Duration(cfg.IdleTimeout),
		Limits:      cfg.Limits.control(),
		Accounts:    accounts,
		Issuer:      wire.Issuer{URL: cfg.OIDC.Issuer, ClientID: cfg.OIDC.ClientID},
		GeoIP:       places,
		Log:         r.log,
		Over:        r.forgetter.over,
	})
	return nil
}

func listen(cfg *Config) (*forward.Plane, error) {
	plane, err := forward.Listen(forward.Config{
		Listen:      cfg.Listen,
		Sockets:     runtime.GOMAXPROCS(0),
		BufferBytes: socketBuffer,
		MaxSessions: cfg.Limits.Sessions,
		IdleTimeout: time.Duration(cfg.IdleTimeout),
		OneWayBytes: uint64(cfg.Limits.OneWay),
		SessionRate: uint64(cfg.Limits.SessionRate),
		BusyPoll:    time.Duration(cfg.BusyPoll),
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

// Reload reads the certificate again, if it is from files, for the handshakes to
// come. If it is no good, the one before stays in use, and the error, which is in the
// log as a code, says why. It may be called at any time.
func (r *Relay) Reload() error { return r.certificate.reload() }

// Run locks the process down as the configuration says, calls ready, which may be
// nil, and serves until ctx ends, which is no error. It may be called once. A
// process that is locked down stays so.
func (r *Relay) Run(ctx context.Context, ready func()) error {
	defer r.close()
	r.started = time.Now()
	if err := r.enter(); err != nil {
		return err
	}
	if err := r.certificate.rehearse(); err != nil {
		return err
	}
	r.logStart()
	if ready != nil {
		ready()
	}
	return r.serve(ctx)
}

// serve runs all parts until ctx ends or one of them does.
func (r *Relay) serve(ctx context.Context) error {
	pace := func(ctx context.Context) error { return keepPace(ctx, heapInUse) }
	parts := []func(context.Context) error{r.control.Serve, r.serveAdmin, r.forgetter.run, pace}

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
	r.log.Say(telemetry.RelayStarted, telemetry.Number(telemetry.Sockets, runtime.GOMAXPROCS(0)),
		telemetry.Number(telemetry.ReceiveBuffer, receive), telemetry.Number(telemetry.SendBuffer, send),
		telemetry.Number(telemetry.BufferWanted, socketBuffer),
		telemetry.Flag(telemetry.GRO, offload.GRO), telemetry.Flag(telemetry.GSO, offload.GSO))
	if min(receive, send) < socketBuffer {
		r.log.Say(telemetry.SmallBuffers)
	}
}

func (r *Relay) logStop() {
	st := r.plane.Stats()
	r.log.Say(telemetry.RelayStopped, telemetry.Number(telemetry.Datagrams, st.Datagrams), telemetry.Number(telemetry.Bytes, st.Bytes))
	for _, reason := range forward.DropReasons() {
		if n := st.Dropped[reason]; n > 0 {
			r.log.Say(telemetry.DatagramsDropped, telemetry.Code(telemetry.Reason, reason), telemetry.Number(telemetry.Datagrams, n))
		}
	}
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
