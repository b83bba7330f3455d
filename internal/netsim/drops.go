package netsim

import "sync/atomic"

// Drops counts the datagrams that a [Proxy] did not forward.
type Drops struct {
	Handled   uint64 // the Handler said so
	NoMapping uint64 // too many clients, or no socket for another
	Stranger  uint64 // sent to a client's port by somebody who is not the server
	Unsent    uint64 // the kernel did not take it, or the mapping went away while it was on its way
}

// drops is Drops while it is counted.
type drops struct{ handled, noMapping, stranger, unsent atomic.Uint64 }

// Drops returns what was dropped so far.
func (p *Proxy) Drops() Drops {
	return Drops{
		Handled:   p.drops.handled.Load(),
		NoMapping: p.drops.noMapping.Load(),
		Stranger:  p.drops.stranger.Load(),
		Unsent:    p.drops.unsent.Load(),
	}
}
