package presence

import (
	"errors"
	"sync"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/forgetful"
)

// ErrFull is returned by [Registry.Put] when as many routers are present as
// the registry was made for.
var ErrFull = errors.New("as many routers are registered as the relay is configured for")

// Registry maps a RouterID to the connection that speaks for it. C is a
// pointer to whatever the control plane uses to reach a router.
type Registry[C comparable] struct {
	max int

	mu      sync.RWMutex
	routers *forgetful.Map[auth.RouterID, C]
}

// New makes a registry for at most limit routers.
func New[C comparable](limit int) *Registry[C] {
	return &Registry[C]{max: limit, routers: forgetful.New[auth.RouterID, C]()}
}

// Put makes conn the router's connection. The newest wins: a router that lost
// its network comes back before the relay has noticed. before is the
// connection that it replaces, or the zero C.
func (r *Registry[C]) Put(id auth.RouterID, conn C) (before C, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.routers.Lookup(id)
	if !known && r.routers.Len() >= r.max {
		return before, ErrFull
	}
	r.routers.Set(id, conn)
	return before, nil
}

// Remove forgets the router if conn is still its connection.
func (r *Registry[C]) Remove(id auth.RouterID, conn C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.routers.Get(id) == conn {
		r.routers.Delete(id)
	}
}

// Get returns the router's connection.
func (r *Registry[C]) Get(id auth.RouterID) (conn C, present bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.routers.Lookup(id)
}

// Len is the number of routers present.
func (r *Registry[C]) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.routers.Len()
}
