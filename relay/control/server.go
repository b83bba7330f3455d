package control

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/forgetful"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/account"
	"github.com/lethe-relay/lethe/relay/forward"
	"github.com/lethe-relay/lethe/relay/geoip"
	"github.com/lethe-relay/lethe/relay/limit"
	"github.com/lethe-relay/lethe/relay/presence"
)

// Specification: what peers may count on.
const (
	// PresenceTimeout is how long a router may be silent before it is gone.
	// Agents keep their connections alive with a shorter time-out of their own.
	PresenceTimeout = 30 * time.Second
)

// Implementation: what bounds a peer's use of us.
const (
	requestTimeout  = 10 * time.Second // from a stream's start to its whole request
	answerTimeout   = 10 * time.Second // for a router to answer an Incoming: it binds its leg first
	accountTimeout  = 5 * time.Second  // for the issuer of accounts, which is asked while a device waits
	settleTime      = 2 * time.Second  // for a router to tell its device what a move has changed, before the relay acts
	endTimeout      = time.Second      // for the end of a stream whose message has come
	deviceLinger    = time.Minute      // a connection that is no router's and asks nothing for this long is closed
	streamsPerPeer  = 16               // requests at once
	streamWindow    = 32 << 10         // bytes: two of the largest messages
	connWindow      = 128 << 10        // bytes
	rememberedPeers = 100_000          // rate-limit buckets a generation, about 15 MB at worst
	devicesAtOnce   = 4096             // connections beyond those of as many routers as there may be
	// pairingsPerRouter is small because a pairing session needs no grant: whoever
	// knows a RouterID may ask for one. They don't take the places of others.
	pairingsPerRouter = 4
)

// Limits bound what the relay takes on.
type Limits struct {
	Routers                 int // registered at once
	SessionsPerRouter       int // at once
	SessionsPerDevice       int // at once
	OpensPerMinutePerDevice int // by identity
	RequestsPerMinute       int // by source, which is an IPv4 address or an IPv6 /64: connections, opens, registrations
	ConnectionsPerSource    int // at once

	// What a session has whose device must confirm its environment first.
	StepUpBytes uint64 // of both legs together
	StepUpTime  time.Duration
}

// Config is what a Server is made from.
type Config struct {
	TLS         *tls.Config    // with the relay's certificate; Server sets the rest
	Identity    *auth.Identity // the relay's, which signs receipts of erasure
	Token       auth.Token     // enrolment token that routers must show
	Plane       *forward.Plane
	IdleTimeout time.Duration // of sessions, told to routers
	Limits      Limits
	Log         *telemetry.Log

	// Accounts verifies ID tokens of Issuer. Nil: there is no account system, and
	// a device's key is its account.
	Accounts *account.Verifier
	Issuer   wire.Issuer
	GeoIP    *geoip.DB // nil: nothing is known of addresses

	// Over is called when a session or a connection has ended, or a router has
	// registered and leaves its handshake behind, so that what was known of it can be
	// made to leave the memory. It must not block. Nil: nobody is told.
	Over func()
}

// timeouts are the constants of the same names; tests shorten them.
type timeouts struct{ request, answer, account, settle, linger, presence time.Duration }

// Server is the control plane. Make one with [New], run it with [Server.Serve].
type Server struct {
	// static
	cfg       Config
	timeouts  timeouts
	presence  *presence.Registry[*peer]   // the peers that are routers
	perRouter *limit.Count[auth.RouterID] // sessions
	pairings  *limit.Count[auth.RouterID] // pairing sessions
	perDevice *limit.Count[auth.DeviceID] // sessions of both kinds
	perSource *limit.Count[netip.Prefix]  // connections
	all       *limit.Count[struct{}]      // connections
	departed  *departed
	byDevice  *limit.Rate[auth.DeviceID]
	bySource  *limit.Rate[netip.Prefix]
	held      *holdings

	// Counters of requests by outcome, written by the goroutines of requests.
	Opens         Outcomes
	Registrations Outcomes
	Connections   Outcomes // by whether they were let in
	Verdicts      Verdicts // on the environments of devices

	peers sync.WaitGroup // the goroutines of connections, requests and moves

	// guarded by mu
	mu     sync.Mutex
	closed bool // Serve waits for the goroutines
}

// New makes a Server that runs on cfg.Plane's ControlConn.
func New(cfg Config) *Server {
	return &Server{
		cfg:       cfg,
		timeouts:  timeouts{request: requestTimeout, answer: answerTimeout, account: accountTimeout, settle: settleTime, linger: deviceLinger, presence: PresenceTimeout},
		presence:  presence.New[*peer](cfg.Limits.Routers),
		perRouter: limit.NewCount[auth.RouterID](cfg.Limits.SessionsPerRouter),
		pairings:  limit.NewCount[auth.RouterID](pairingsPerRouter),
		perDevice: limit.NewCount[auth.DeviceID](cfg.Limits.SessionsPerDevice),
		perSource: limit.NewCount[netip.Prefix](cfg.Limits.ConnectionsPerSource),
		all:       limit.NewCount[struct{}](cfg.Limits.Routers + devicesAtOnce),
		departed:  newDeparted(cfg.Limits.Routers),
		byDevice:  limit.NewRate[auth.DeviceID](cfg.Limits.OpensPerMinutePerDevice, rememberedPeers),
		bySource:  limit.NewRate[netip.Prefix](cfg.Limits.RequestsPerMinute, rememberedPeers),
		held:      newHoldings(),
	}
}

// Serve takes connections until ctx ends, then tells every peer that the relay
// shuts down and returns nil. Any other end is an error.
func (s *Server) Serve(ctx context.Context) error {
	transport := &quic.Transport{
		Conn: s.cfg.Plane.ControlConn(),
		// Always Retry: without it quic-go answers an address that may be forged
		// with three times what it sent.
		VerifySourceAddress: func(net.Addr) bool { return true },
		ConnContext:         s.letIn,
	}
	defer transport.Close()
	listener, err := transport.Listen(s.tlsConfig(), s.quicConfig())
	if err != nil {
		return err
	}
	defer listener.Close()
	defer s.wait()
	forgetting, stop := context.WithCancel(ctx)
	defer stop()
	s.peers.Go(func() { s.forget(forgetting) })
	for {
		conn, err := listener.Accept(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		s.peers.Go(func() { s.serve(ctx, conn) })
	}
}

// launch runs f in a goroutine that Serve waits for, unless Serve is at its end.
// It never blocks.
func (s *Server) launch(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.peers.Go(func() { forgetful.Do(f) })
	}
	return !s.closed
}

func (s *Server) wait() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.peers.Wait()
}

func (s *Server) over() {
	if s.cfg.Over != nil {
		s.cfg.Over()
	}
}

// Routers is the number of routers present.
func (s *Server) Routers() int { return s.presence.Len() }

func (s *Server) tlsConfig() *tls.Config {
	c := s.cfg.TLS.Clone()
	c.MinVersion = tls.VersionTLS13
	c.NextProtos = []string{wire.ALPNControl}
	c.ClientAuth = tls.RequireAnyClientCert
	c.SessionTicketsDisabled = true // a resumed connection would skip the proof of the peer's key
	return c
}

func (s *Server) quicConfig() *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:           s.timeouts.request / 2,
		MaxIdleTimeout:                 s.timeouts.presence,
		MaxIncomingStreams:             streamsPerPeer,
		MaxIncomingUniStreams:          -1,
		InitialStreamReceiveWindow:     streamWindow,
		MaxStreamReceiveWindow:         streamWindow,
		InitialConnectionReceiveWindow: connWindow,
		MaxConnectionReceiveWindow:     connWindow,
	}
}
