package control

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

// rememberedFor is how long the revocations of a router that has left are kept
// at least, and twice that at most. It is what a router that comes back with an
// older state, such as a restored backup, is held to.
const rememberedFor = 12 * time.Hour

// departed are the revocations of routers that have left. Like all that the
// relay holds they are in memory only: a restart forgets them. Whose they are is
// not kept, only a hash to recognise the router by when it comes back.
//
// They live in two generations, as the buckets of package limit do.
type departed struct {
	most int          // routers a generation
	seed maphash.Seed // of the hashes; the process's own

	mu         sync.Mutex
	turned     time.Time
	young, old map[uint64]*auth.Revocations // by the routers' hashes
}

func newDeparted(most int) *departed {
	return &departed{most: most, seed: maphash.MakeSeed(), young: make(map[uint64]*auth.Revocations)}
}

// keep remembers what a router has said; nil is nothing. When there is room for
// no more, it is forgotten.
func (d *departed) keep(router auth.RouterID, r *auth.Revocations, now time.Time) {
	if r == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turnLocked(now)
	if len(d.young) < d.most {
		d.young[d.hash(router)] = r
	}
}

// of is what a router has said before it left; nil if that is not known.
func (d *departed) of(router auth.RouterID, now time.Time) *auth.Revocations {
	r, _ := d.heldOf(router, now)
	return r
}

// heldOf is of, and until when it is kept at the latest.
func (d *departed) heldOf(router auth.RouterID, now time.Time) (r *auth.Revocations, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turnLocked(now)
	if r := d.young[d.hash(router)]; r != nil {
		return r, d.turned.Add(2 * rememberedFor)
	}
	return d.old[d.hash(router)], d.turned.Add(rememberedFor)
}

// naming returns the revocations that name a device, and until when each is kept
// at the latest.
func (d *departed) naming(device auth.DeviceID, now time.Time) (found map[*auth.Revocations]time.Time) {
	found = make(map[*auth.Revocations]time.Time)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turnLocked(now)
	for i, generation := range []map[uint64]*auth.Revocations{d.old, d.young} {
		for _, r := range generation {
			if r.Revoked(device, 0) {
				found[r] = d.turned.Add(time.Duration(1+i) * rememberedFor)
			}
		}
	}
	return found
}

// forget drops what is too old, also when nobody asks for it.
func (d *departed) forget(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turnLocked(now)
}

func (d *departed) hash(router auth.RouterID) uint64 { return maphash.Comparable(d.seed, router) }

func (d *departed) turnLocked(now time.Time) {
	switch age := now.Sub(d.turned); {
	case age >= 2*rememberedFor:
		d.old, d.young, d.turned = nil, make(map[uint64]*auth.Revocations), now
	case age >= rememberedFor:
		d.old, d.young, d.turned = d.young, make(map[uint64]*auth.Revocations), now
	}
}
