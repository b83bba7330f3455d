package demo

import (
	"net/netip"
	"sync"

	"github.com/lethe-relay/lethe/internal/netsim"
)

// sampleBytes is how much of the latest datagram is shown: as much as fits a line.
const sampleBytes = 24

// wire stands between device and relay, and looks at every datagram.
type wire struct {
	// static
	proxy  *netsim.Proxy
	search search

	// guarded by mu
	mu   sync.Mutex
	seen traffic
}

// traffic is what has passed on the wire.
type traffic struct {
	up, down uint64 // bytes of datagrams, to the relay and from it
	sample   []byte // the first bytes of the latest datagram
}

// newWire opens a wire to the relay. The caller closes its proxy.
func newWire(relay netip.AddrPort, secrets ...[]byte) (*wire, error) {
	w := &wire{search: search{secrets: secrets}}
	var err error
	w.proxy, err = netsim.NewProxy(loopback(), relay, netsim.Handle(w.observe))
	return w, err
}

// observe is a [netsim.Handler].
func (w *wire) observe(dir netsim.Direction, _ netip.AddrPort, datagram []byte) bool {
	w.search.look(datagram)
	w.mu.Lock()
	defer w.mu.Unlock()
	if dir == netsim.ToServer {
		w.seen.up += uint64(len(datagram))
	} else {
		w.seen.down += uint64(len(datagram))
	}
	w.seen.sample = append(w.seen.sample[:0], datagram[:min(len(datagram), sampleBytes)]...)
	return true
}

// traffic returns a copy of what has been seen so far.
func (w *wire) traffic() traffic {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	seen.sample = append([]byte(nil), seen.sample...)
	return seen
}

// loopback is any free port of this machine, for nobody else.
func loopback() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:0") }
