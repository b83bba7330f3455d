package part

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/internal/conf"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/relay"
)

// RelayConfig is what the relay is opened with.
type RelayConfig struct {
	Dir      string        // an empty folder
	BusyPoll time.Duration // as in relay.yaml
}

// RelayReady is what agents and devices need.
type RelayReady struct{ URL string }

// plenty is a limit that no benchmark reaches.
const plenty = 1_000_000

// sessions is how many a relay may have. It is no more than the largest swarm
// needs, since tables are made for as many.
const sessions = 10_240

// relayOf runs a relay. How often and how much may be asked for is not limited:
// a benchmark opens more than a person does.
type relayOf struct {
	relay   *relay.Relay
	cancel  context.CancelFunc
	running sync.WaitGroup
	ended   chan error
}

func newRelay() proc.Part {
	r := &relayOf{cancel: func() {}, ended: make(chan error, 1)}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(r.open), Progress: proc.Handle(r.progress), Memory: proc.Handle(r.held)},
		Close: func() {
			r.cancel()
			r.running.Wait()
		},
	}
}

func (r *relayOf) open(_ context.Context, c RelayConfig) (any, error) {
	path, err := relay.Init(c.Dir, netip.MustParseAddrPort("127.0.0.1:0"), "")
	if err != nil {
		return nil, err
	}
	cfg, err := relay.LoadConfig(path)
	if err != nil {
		return nil, err
	}
	cfg.Admin = "off"
	cfg.BusyPoll = conf.Duration(c.BusyPoll)
	cfg.Lockdown = lockdown.Off // it talks with the benchmark; what lockdown costs is measured by bench/retention
	cfg.Limits.OpensPerMinute, cfg.Limits.RequestsPerMinute, cfg.Limits.Connections = plenty, plenty, plenty
	cfg.Limits.SessionsPerRouter, cfg.Limits.SessionsPerDevice = plenty, plenty
	cfg.Limits.Sessions = sessions
	if r.relay, err = relay.New(cfg, "bench", nil); err != nil {
		return nil, err
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	r.running.Go(func() { r.ended <- r.relay.Run(ctx, nil) })
	return RelayReady{r.relay.URL().String()}, nil
}

// alive is an error when the relay has ended.
func (r *relayOf) alive() error {
	select {
	case err := <-r.ended:
		return errors.Join(errors.New("the relay has ended"), err)
	default:
		return nil
	}
}

func (r *relayOf) progress(context.Context, struct{}) (any, error) {
	if err := r.alive(); err != nil {
		return nil, err
	}
	st := r.relay.Stats()
	c := Carried{Reads: st.Reads, Messages: st.Messages, Datagrams: st.Datagrams, Bytes: st.Bytes}
	for _, n := range st.Dropped {
		c.Dropped += n
	}
	return Moved{Relay: c}, nil
}
