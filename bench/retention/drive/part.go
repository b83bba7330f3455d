package drive

import (
	"context"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/retention/canary"
	"github.com/lethe-relay/lethe/bench/retention/observe"
)

// Requests that parts answer.
const (
	askOpen     = "open"
	askProgress = "progress"
	askQuiet    = "quiet" // send nothing more
	askNamed    = "named" // what its sessions are known by
	askClose    = "close" // end all sessions, as the part is told to
)

// The parts, by the names that proc.Start takes.
const (
	fullPart    = "full"
	routersPart = "routers"
	devicesPart = "devices"
)

// Parts are what the processes of an audit do; [proc.Main] takes them.
func Parts() map[string]func() proc.Part {
	return map[string]func() proc.Part{fullPart: newFull, routersPart: newRouters, devicesPart: newDevices}
}

// Shared is what every part of a group is opened with.
type Shared struct {
	Relay string // URL with token
	Key   canary.Key
	Group int
}

// Named is what a relay may hold of an endpoint beside its key: the auditor
// looks for it.
type Named struct {
	Tunnels []netip.AddrPort // that datagrams of tunnels come from
	Secrets [][]byte         // leg ids and leg secrets
}

func (n *Named) add(m Named) {
	n.Tunnels = append(n.Tunnels, m.Tunnels...)
	n.Secrets = append(n.Secrets, m.Secrets...)
}

// part is what all parts have.
type part struct {
	key     canary.Key
	planter *canary.Planter
	group   int
	url     auth.RelayURL
	counts  *counts
	quiet   *atomic.Bool // the ends of the part send nothing more
	running sync.WaitGroup

	mu      sync.Mutex
	sockets []uint64 // guarded by mu: inodes of the SDK's sockets, which may be legs
}

func newPart() *part { return &part{counts: new(counts), quiet: new(atomic.Bool)} }

func (p *part) share(s Shared) (err error) {
	p.key, p.group, p.planter = s.Key, s.Group, canary.NewPlanter(s.Key)
	p.url, err = auth.ParseRelayURL(s.Relay)
	return err
}

// handlers are the requests that every part answers, and its own.
func (p *part) handlers(own map[string]proc.Handler) map[string]proc.Handler {
	own[askProgress] = proc.Handle(func(context.Context, struct{}) (any, error) { return p.counts.told(), nil })
	own[askQuiet] = proc.Handle(func(context.Context, struct{}) (any, error) {
		p.quiet.Store(true)
		return nil, nil
	})
	return own
}

// watch remembers a socket of the SDK, which tells nobody its address. Not the
// RawConn: once the socket is bound, the SDK may hold it by another descriptor.
func (p *part) watch(_, _ string, socket syscall.RawConn) error {
	inode, err := inodeOf(socket)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets = append(p.sockets, inode)
	return nil
}

// disregard forgets the sockets so far: they are of control connections.
func (p *part) disregard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets = nil
}

// named tells what the SDK's sockets are bound to, of those that are open. Their
// address is that of everybody on loopback; what tells them apart is the port.
func (p *part) named() (n Named, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ports, err := observe.UDPPorts(os.Getpid(), p.sockets)
	for _, port := range ports {
		n.Tunnels = append(n.Tunnels, netip.AddrPortFrom(loopback(), port))
	}
	return n, err
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }
