package part

import (
	"context"
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/internal/netsim"
)

// PathConfig is what a path is opened with.
type PathConfig struct {
	Relay string        // URL of the relay that it leads to
	Delay time.Duration // of every datagram, in either direction
}

// PathReady is the relay's URL by way of the path.
type PathReady struct{ URL string }

// newPath makes a long way to a relay.
func newPath() proc.Part {
	var proxy *netsim.Proxy
	open := func(_ context.Context, c PathConfig) (any, error) {
		url, err := auth.ParseRelayURL(c.Relay)
		if err != nil {
			return nil, err
		}
		relay, err := netip.ParseAddrPort(url.Host)
		if err != nil {
			return nil, err
		}
		proxy, err = netsim.NewProxy(netip.MustParseAddrPort("127.0.0.1:0"), relay, netsim.Delay(c.Delay))
		if err != nil {
			return nil, err
		}
		url.Host = proxy.Addr().String()
		return PathReady{url.String()}, nil
	}
	progress := func(context.Context, struct{}) (any, error) { return Moved{}, nil }
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(open), Progress: proc.Handle(progress)},
		Close: func() {
			if proxy != nil {
				proxy.Close()
			}
		},
	}
}
