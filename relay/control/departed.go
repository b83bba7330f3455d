package control

import (
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

// rememberedFor is how long the revocations of a router that has left are kept
// at least, and twice that at most. It is what a router that comes back with an
// older state, such as a restored backup, is held to.
const rememberedFor = 12 * time.Hour

// departed are the revocations of routers that have left. Like all that the
// relay holds they are in memory only: a restart forgets them.
//
// They live in two generations, as the buckets of package limit do.
type departed struct {
	most int // routers a generation

	mu         sync.Mutex
	turned     time.Time
	young, old map[auth.RouterID]*auth.Revocations
}

func newDeparted(most int) *departed {
	return &departed{most: most, young: make(map[auth.RouterID]*auth.Revocations)}
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
		d.young[router] = r
	}
}

// of is what a router has said before it left; nil if that is not known.
func (d *departed) of(router auth.RouterID, now time.Time) *auth.Revocations {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turnLocked(now)
	if r := d.young[router]; r != nil {
		return r
	}
	return d.old[router]
}

func (d *departed) turnLocked(now time.Time) {
	switch age := now.Sub(d.turned); {
	case age >= 2*rememberedFor:
		d.old, d.young, d.turned = nil, make(map[auth.RouterID]*auth.Revocations), now
	case age >= rememberedFor:
		d.old, d.young, d.turned = d.young, make(map[auth.RouterID]*auth.Revocations), now
	}
}
